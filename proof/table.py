"""The table of a proof, made of its figures."""

from proof.figures import Figures

HEAD = "| | tried | passed | lost | |\n|---|--:|--:|--:|---|"


def table(kept: dict[str, Figures]) -> str:
    """In Markdown, a line for each part that has figures."""
    lines = [HEAD]
    for part, (name, what) in PARTS.items():
        if found := kept.get(part):
            figures = "".join(f" {found[each]:,} |" for each in ("tried", "passed", "lost"))
            lines.append(f"| {name} |{figures} {what(found)} |")
    return "\n".join(lines)


def _faults(found: Figures) -> str:
    return (
        f"{found['calls']} calls × {len(found['faults'])} faults, each a case;"
        f" {found['acknowledged']:,} deliveries acknowledged, {found['invocations']:,} invocations; {found['seconds']} s"
    )


def _load(found: Figures) -> str:
    said = [
        f"{name}: {one['acknowledged']:,} acknowledged = {one['stored']:,} stored, {one['forged']} forged and"
        f" {one['forged_stored']} of them stored, p50 {one['p50_ms']:.0f} ms, p95 {one['p95_ms']:.0f} ms,"
        f" p99 {one['p99_ms']:.0f} ms, {one['per_second']:.0f}/s"
        for name, one in (("quiet", found["quiet"]), ("5 % faults", found["faulty"]))
    ]
    return "; ".join(said)


def _memory(found: Figures) -> str:
    sizes = list(found["megabytes"].values())
    return f"{sizes[0]} MB after 10,000 deliveries, {sizes[-1]} MB after the last; {found['per_second']:,}/s"


def _states(found: Figures) -> str:
    done = found["done"]
    events = sum(done.get(name, 0) for name in ("deliveries", "poll events", "archive events"))
    return (
        f"{done['jobs']} jobs, {events:,} events, {done.get('duplicates', 0):,} duplicates,"
        f" {done.get('forged', 0):,} forged, {done.get('replays', 0):,} replays, {done['merges']:,} merges"
    )


def _fuzz(found: Figures) -> str:
    least = min(one["runs"] for one in found["targets"].values())
    return f"{len(found['targets'])} targets, at least {least:,} runs of each"


PARTS = {
    "faults": ("Faults at every step", _faults),
    "load": ("Sent = stored under load", _load),
    "memory": ("Memory of a receiver", _memory),
    "states": ("State space", _states),
    "short fuzz": ("Fuzzing, short", _fuzz),
    "fuzz": ("Fuzzing, long (`make fuzz`)", _fuzz),
}
