"""A proof's table, made from its figures."""

from collections.abc import Mapping

from resilience.figures import Figures

HEAD = "| | tried | passed | lost | |\n|---|--:|--:|--:|---|"


def table(kept: Mapping[str, Figures], ended: Mapping[str, int]) -> str:
    """Markdown: a row for each part with figures, or with an exit code and missing figures."""
    lines = [HEAD]
    for part, (name, what) in PARTS.items():
        found, code = kept.get(part), ended.get(part)
        if found:
            figures = "".join(f" {found[each]:,} |" for each in ("tried", "passed", "lost"))
            lines.append(f"| {name} |{figures} {_failed(found, code)}{what(found)} |")
        elif code is not None:
            lines.append(f"| {name} | – | – | – | failed: exit code {code}, no figures |")
    return "\n".join(lines)


def _failed(found: Figures, code: int | None) -> str:
    """The text before a part's figures if it failed otherwise than by `lost`."""
    said = found.get("failed") or (f"exit code {code}" if code and not found["lost"] else "")
    return f"failed: {said.replace('|', '/')}; " if said else ""


def _faults(found: Figures) -> str:
    functions = len(found["calls_by_function"])
    return (
        f"all {found['calls']} calls of {functions} functions × up to {len(found['faults'])} faults,"
        f" {found['again']} of these cases with a provider that never retries;"
        f" {found['acknowledged']:,} deliveries acknowledged, {found['invocations']:,} invocations"
    )


def _roles(found: Figures) -> str:
    return (
        f"each grant of {found['roles']} roles removed and restored; {found['decisions']:,} kinds of requests"
        f" decided again by the template, {found['wrong_decisions']} differently"
    )


def _transfers(found: Figures) -> str:
    return f"{found['faults']} faults in {found['variants']} variants, at {' and '.join(found['sizes'])}"


def _opinions(found: Figures) -> str:
    if not found["servers"]:
        return "left out: the servers could not be installed"
    return f"{found['different']} known differences; {', '.join(found['servers'])}"


def _load(found: Figures) -> str:
    runs = (("without faults", found["quiet"]), ("5 % faults", found["faulty"]))
    return "; ".join(f"{name}: {_one_load(one)}" for name, one in runs)


def _one_load(one: Figures) -> str:
    p50, p95, p99 = (round(one[name]) for name in ("p50_ms", "p95_ms", "p99_ms"))
    return (
        f"{one['acknowledged']:,} acknowledged = {one['stored']:,} stored,"
        f" {one['forged']} forged and {one['forged_stored']} of them stored, {one['made_again']} retries,"
        f" p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, {one['per_second']:.0f}/s"
    )


def _memory(found: Figures) -> str:
    sizes = found["megabytes"]
    first, *_, last = sizes
    return (
        f"{sizes[first]} MB after {int(first):,} deliveries, {sizes[last]} MB after the last; {found['per_second']:,}/s"
    )


def _states(found: Figures) -> str:
    done = found["done"]
    events = sum(done.get(name, 0) for name in ("deliveries", "poll events", "archive events"))
    return (
        f"{done.get('jobs', 0)} jobs, {events:,} events, {done.get('duplicates', 0):,} duplicates,"
        f" {done.get('forged', 0):,} forged, {done.get('replays', 0):,} replays, {done.get('merges', 0):,} merges"
    )


def _fuzz(found: Figures) -> str:
    least = min(one["runs"] for one in found["targets"].values())
    return f"{len(found['targets'])} of {found['of']} targets, at least {least:,} runs of each"


def _long_fuzz(found: Figures) -> str:
    return f"{_fuzz(found)}, the oldest of {min(one['at'] for one in found['targets'].values())}"


PARTS = {
    "faults": ("Faults at every step", _faults),
    "roles": ("Roles", _roles),
    "transfers": ("Faults in a transfer", _transfers),
    "opinions": ("Second opinions", _opinions),
    "load": ("Sent = stored under load", _load),
    "memory": ("Memory of a receiver", _memory),
    "states": ("State space", _states),
    "short fuzz": ("Fuzzing, short", _fuzz),
    "fuzz": ("Fuzzing, long (`make fuzz`)", _long_fuzz),
}
