"""Waits for an effect."""

import time

# Limits the duration of a failing test. Much longer than any wait takes, even on a slow machine.
LONGEST = 180


def until(check, what: str, seconds: float = LONGEST):
    """Calls `check` until its result is true, and returns that result. `what` describes the missing effect in the
    error."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}; the last answer was {answer!r}")
        time.sleep(0.1)
    return answer
