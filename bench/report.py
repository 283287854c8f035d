"""The report: Markdown for people, JSON for machines; both hold the goal beside the value."""
import json

from cases import CASES, Throughput, cpu_row, median

NAMES = {"floor": "floor", "postfix": "Postfix", "postrider": "Postrider", "dovecot": "Dovecot"}


def figure(value):
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return out + ["| " + " | ".join(line) + " |" for line in lines]


def goal_words(row):
    return [f"{label} {'–' if value is None else goal.form(value)} ({goal.words()})"
            for label, value, goal in row.goals]


def each(data, key, names=("floor", "postfix", "postrider")):
    return " / ".join(figure(median(data.get(n, []), key)) for n in names)


def tool_words(tools):
    costs = ", ".join(f"{name} {figure(cost)}" for name, cost in tools["cpu_ms"].items())
    return f"{tools['used']} ({costs})" if len(tools["cpu_ms"]) > 1 else costs


def rate_lines(rows):
    for row in rows:
        data = row.values
        yield [row.title, *(figure(median(data.get(n, []), "per_second"))
                            for n in ("floor", "postfix", "postrider")),
               "; ".join(goal_words(row)), each(data, "cpu_ms"), each(data, "tool_cpu_ms"),
               tool_words(data["tools"]), row.verdict() + (f" ({row.note})" if row.note else "")]


def other_lines(rows):
    for row in rows:
        values = ", ".join(f"{NAMES[n]} {figure(v)}" for n, v in row.values.items())
        yield [row.title, values, "; ".join(goal_words(row)), row.verdict(), row.note]


def rows_of(results):
    rates, others = [], []
    for case in CASES:
        if case.name in results:
            (rates if isinstance(case, Throughput) else others).extend(case.rows(results[case.name]))
    cpu = cpu_row(results)
    return rates, ([cpu] if cpu else []) + others


def markdown(machine, settings, results, failures, missing):
    rates, others = rows_of(results)
    lines = [f"Measured {machine['date']}, commit {machine['commit']}, "
             f"{machine['processor']} x {machine['cores']}, {machine['memory']}, "
             f"Linux {machine['kernel']}, {machine['file_system']}, "
             f"{machine['syncs_per_second']} syncs of 4 KiB per second by a single writer, "
             f"Postfix {machine['postfix']}, Dovecot {machine['dovecot']}. "
             f"Load average {machine['load_average']:.2f} before the run, "
             f"{machine['load_average_after']:.2f} after it. "
             f"Medians of {settings['rounds']}, about {settings['seconds']:g} s each"
             + (", with PIPELINING." if settings["pipelining"] else "."), ""]
    if rates:
        lines += table(["case", "floor /s", "Postfix /s", "Postrider /s", "ratios (goals)",
                        "server CPU ms a message, floor / Postfix / Postrider",
                        "load tool CPU ms, beside each", "load tool used (CPU ms against the floor)",
                        "verdict"], rate_lines(rates)) + [""]
    if others:
        lines += table(["case", "values", "measured (goal)", "verdict", "remark"],
                       other_lines(others)) + [""]
    lines += [f"Not measured: {name} ({why})." for name, why in missing.items()]
    lines += [f"Failed: {name}: {why}." for name, why in failures.items()]
    return "\n".join(lines).rstrip() + "\n"


def as_json(machine, settings, results, failures, missing):
    rates, others = rows_of(results)
    rows = [{"case": row.case, "title": row.title, "verdict": row.verdict(), "note": row.note,
             "goals": [{"what": label, "measured": value, "limit": goal.limit,
                        "at_least": goal.at_least} for label, value, goal in row.goals]}
            for row in rates + others]
    return json.dumps({"machine": machine, "settings": settings, "rows": rows, "cases": results,
                       "failures": failures, "missing": missing}, indent=1) + "\n"


def misses(results):
    rates, others = rows_of(results)
    return [row.case for row in rates + others if row.verdict() == "MISS"]
