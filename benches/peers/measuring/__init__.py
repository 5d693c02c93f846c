"""The parts of benches/peers/run: who is measured, with what work, how, and how it is written down."""
