"""Modules of benches/peers/run: the contestants, their work, the measurements, and the report."""
