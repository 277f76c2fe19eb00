"""`pxhv trace`: what a timeline of VM exits says, in a few tables."""

import json
import statistics
from collections import defaultdict
from pathlib import Path

from .status import UsageError
from .symbols import Symbols
from .trace import FORMAT, IN_PXHV, track_id

DAMAGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)  # what reading other content comes to


def load(path: Path) -> tuple[list[dict], list[dict]]:
    """The vcpus' summaries and all events of a file that trace.write() made."""
    try:
        with open(path, encoding="utf-8") as f:
            data = json.load(f)
        other = data["otherData"]
        if other["format"] != FORMAT:
            raise UsageError(f"{path} has the format '{other['format']}', this tool reads '{FORMAT}'")
        return other["vcpus"], data["traceEvents"]
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from e
    except (ValueError, TypeError, KeyError, RecursionError) as e:  # what json raises is a ValueError
        raise UsageError(f"{path} is not a trace that `pxhv run --trace` wrote") from e


class VcpuReport:
    """The figures of one vcpu."""

    def __init__(self, summary: dict, slices: list[dict]):
        self.summary = summary
        self.us = 1e6 / summary["tsc_hz"]
        self.span = self.idle = 0.0  # in ticks, as all times here
        self.ticks: dict[str, list[int]] = defaultdict(list)  # by exit name
        self.rips: dict[int, list[int]] = defaultdict(list)
        self.rip_exits: dict[int, set[str]] = defaultdict(set)
        self.whats: dict[tuple[str, str], list[int]] = defaultdict(list)
        for s in slices:
            self.add(s)
        if slices:
            first, last = slices[0], slices[-1]
            self.span = (last["ts"] + last["dur"] - first["ts"]) / self.us

    def add(self, s: dict) -> None:
        args, name = s["args"], s["name"]
        idle = min(args.get("idle", 0), args["ticks"])
        ticks = args["ticks"] - idle
        self.idle += args.get("idle", 0)
        if s["cat"] != "exit":
            return
        rip = int(args["rip"], 16)
        self.ticks[name].append(ticks)
        self.rips[rip].append(ticks)
        self.rip_exits[rip].add(name)
        if "what" in args:
            self.whats[name, args["what"]].append(ticks)

    def lines(self, symbols: Symbols | None, top: int) -> list[str]:
        s, all_ticks = self.summary, sum(map(sum, self.ticks.values()))
        span = self.span or 1
        inside = 100 * all_ticks / span
        idle = 100 * self.idle / span
        running = 100 * all_ticks / (max(span - self.idle, all_ticks) or 1)
        kept = sum(map(len, self.ticks.values()))
        out = [f"vm {s['vm']}, vcpu {s['vcpu']}, {s['vendor']}: {s['exits']} exits in {self.span * self.us / 1e6:.6f} s"
               + (f" at least; the trace lost the first {s['exits'] - kept}" if s["lost"] else "") + ".",
               f"Time: {100 - inside - idle:.2f} % in the guest, {inside:.2f} % in the hypervisor, {idle:.2f} % halted; of the time "
               f"that it was not halted the hypervisor took {running:.2f} %.", ""]
        out += self.exit_table(all_ticks, top) + self.histogram(top)
        rows = sorted(self.whats.items(), key=lambda item: -len(item[1]))[:top]
        if rows:
            out += ["", f"{'what for':32}{'count':>10}{'ticks':>14}"]
            out += [f"{what:32}{len(ticks):10}{sum(ticks):14}" for (_, what), ticks in rows]
        rows = sorted(self.rips.items(), key=lambda item: (-sum(item[1]), item[0]))[:top]
        out += ["", f"{'hottest addresses':20}{'count':>10}{'ticks':>14}  exits"]
        for rip, ticks in rows:
            name = symbols.name(rip) if symbols else ""
            out.append(f"{rip:<#20x}{len(ticks):10}{sum(ticks):14}  {' '.join(sorted(self.rip_exits[rip]))}"
                       + (f"  {name}" if name else ""))
        return out

    def exit_table(self, all_ticks: int, top: int) -> list[str]:
        """Counts are of all exits, the ticks of those whose records were kept."""
        out = [f"{'exit':22}{'count':>10}{'ticks':>14}{'share':>9}{'median':>10}{'max':>12}"]
        for name, ticks in sorted(self.ticks.items(), key=lambda item: -sum(item[1]))[:top]:
            count = sum(self.summary["histogram"].get(name, []))
            out.append(f"{name:22}{count:10}{sum(ticks):14}{100 * sum(ticks) / (all_ticks or 1):8.2f}%"
                       f"{statistics.median_low(ticks):10}{max(ticks):12}")
        return out

    def histogram(self, top: int) -> list[str]:
        """How many exits took how many ticks, by powers of 2; waiting included."""
        rows = sorted(self.summary["histogram"].items(), key=lambda item: -sum(item[1]))[:top]
        used = [n for n in range(32) if any(len(row) > n and row[n] for _, row in rows)]
        if not used:
            return []
        columns = range(used[0], used[-1] + 1)
        out = ["", f"{'ticks from 2^':22}" + "".join(f"{n:>7}" for n in columns)]
        return out + [f"{name:22}" + "".join(f"{row[n] or '.':>7}" for n in columns) for name, row in rows]


def instructions(path: Path, symbols: Symbols | None) -> list[str]:
    """The recorded instructions, in the order in which they ran."""
    vcpus, events = load(path)
    try:
        found = [f"{e['ts']:14.4f}  {int(e['args']['rip'], 16):016x}  {e['args']['code']}  "
                 + (symbols.name(int(e["args"]["rip"], 16)) if symbols else "")
                 for e in events if e["name"] == "instruction"]
    except DAMAGE as e:
        raise UsageError(f"{path}: a damaged trace ({type(e).__name__}: {e})") from e
    if not found:
        raise UsageError(f"{path} has no instructions: `run --trace-insns` records them")
    return [line.rstrip() for line in found]


def report(path: Path, symbols: Symbols | None, top: int) -> list[str]:
    """The whole of what is printed about the trace in path."""
    vcpus, events = load(path)
    out = []
    try:
        pids = {e["args"]["name"].removeprefix("vm "): e["pid"] for e in events if e["name"] == "process_name"}
        for summary in vcpus:
            track = pids[summary["vm"]], track_id(summary["vcpu"], IN_PXHV)
            slices = [e for e in events if e["ph"] == "X" and (e["pid"], e["tid"]) == track]
            out += ([""] if out else []) + VcpuReport(summary, slices).lines(symbols, top)
    except DAMAGE as e:
        raise UsageError(f"{path}: a damaged trace ({type(e).__name__}: {e})") from e
    return out
