"""Waiting for an effect."""

import time

# Far longer than any wait here takes. It bounds a test that fails, on a slow machine too.
LONGEST = 180


def until(check, what: str, seconds: float = LONGEST):
    """Asks `check` until its answer is true, and gives that answer. `what` names the missing effect in the error."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}; the last answer was {answer!r}")
        time.sleep(0.1)
    return answer
