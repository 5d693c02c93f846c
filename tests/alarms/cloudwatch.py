"""Evaluates an alarm over a table of datapoints, and a metric filter over a log line, as CloudWatch does.

Amazon CloudWatch User Guide: "Using metric math" (operators, FILL, IF), "Configuring how CloudWatch alarms treat
missing data" and "Evaluating an alarm" (M of the latest N datapoints). Amazon CloudWatch Logs User Guide: "Filter
pattern syntax for metric filters". Unknown expressions and patterns are errors.
"""

import re

COMPARISONS = {"GreaterThanThreshold": lambda value, threshold: value > threshold}
STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min}


def states(alarm: dict, metrics: dict, minutes: int) -> list[str]:
    """Returns the alarm's state after each minute. `metrics` maps each metric to its values by minute."""
    period = _period(alarm) // 60
    assert alarm["TreatMissingData"] == "notBreaching", alarm["TreatMissingData"]
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    periods = [_value(alarm, metrics, range(begin, begin + period)) for begin in range(0, minutes, period)]
    evaluated = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm", evaluated)
    found = []
    for minute in range(minutes):
        ended = (minute + 1) // period
        latest = periods[max(0, ended - evaluated):ended]
        breaching = sum(value is not None and breaches(value, alarm["Threshold"]) for value in latest)
        found.append("ALARM" if breaching >= needed else "OK")
    return found


def matches(pattern: str, line: dict) -> bool:
    """Returns whether a metric filter for JSON counts a log line."""
    def equal(field: str, expected: str) -> bool:
        # An asterisk matches any text ("Using filter patterns to match terms in JSON log events").
        return field in line and re.fullmatch(".*".join(map(re.escape, expected.split("*"))), line[field]) is not None

    condition = r'\$\.(\w+) (!?=) "([^"]*)"'
    python = re.sub(condition, lambda found: repr(equal(found[1], found[3]) == (found[2] == "=")), pattern)
    python = re.sub(r"\$\.(\w+) NOT EXISTS", lambda found: repr(found[1] not in line), python)
    python = python.strip("{} \n").replace("&&", "and").replace("||", "or")
    assert not re.sub(r"True|False|and|or|[() \n]", "", python), f"unknown in {pattern!r}: {python!r}"
    return eval(python, {"__builtins__": {}})  # noqa: S307: the template's own patterns


def _period(alarm: dict) -> int:
    found = {query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query}
    [period] = found or {alarm["Period"]}
    return period


def _value(alarm: dict, metrics: dict, minutes: range):
    """Returns the value of one period, or None if it is missing."""
    if "MetricName" in alarm:
        return _statistic(alarm["Statistic"], metrics.get(alarm["MetricName"], {}), minutes)
    values = {query["Id"]: _statistic(query["MetricStat"]["Stat"],
                                      metrics.get(query["MetricStat"]["Metric"]["MetricName"], {}), minutes)
              for query in alarm["Metrics"] if "MetricStat" in query}
    [expression] = [query["Expression"] for query in alarm["Metrics"] if query.get("ReturnData", True)]
    return _evaluate(expression, values)


def _statistic(name: str, datapoints: dict, minutes: range):
    found = [value for minute in minutes for value in datapoints.get(minute, [])]
    return STATISTICS[name](found) if found else None


def _evaluate(expression: str, values: dict):
    """Evaluates an expression. A missing value makes the whole expression missing, except in FILL."""
    python = re.sub(r"\bAND\b", "and", expression).replace("IF(", "_if(").replace("FILL(", "_fill(")
    unknown = set(re.findall(r"[A-Za-z_]\w*", python)) - values.keys() - {"and", "_if", "_fill"}
    assert not unknown, f"unknown in {expression!r}: {sorted(unknown)}"
    filled = {"_fill": lambda value, other: other if value is None else value,
              "_if": lambda condition, then, other: then if condition else other}
    missing = {name for name, value in values.items() if value is None}
    needed = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"_fill\((\w+),", "(", python))) & missing
    if needed:
        return None
    return eval(python, {"__builtins__": {}}, {**filled, **values})  # noqa: S307: the template's own expressions
