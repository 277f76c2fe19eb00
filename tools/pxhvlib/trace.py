"""The hypervisor's exit trace: from its memory to a timeline for Perfetto or chrome://tracing.

The file is JSON in Chrome's trace event format. A vcpu has two tracks, its time in the hypervisor by exit reason and its
time in the guest; "otherData" says what the slices cannot: how many exits there were, lost ones included, and a
histogram of each reason. `pxhv trace` (trace_report.py) reads it again.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import exits
from .status import PxhvError

# struct trace of hv/vm/trace.h, and struct exit_record of hv/vm/vcpu.h.
HEADER = struct.Struct("<8sQQQQQQQ8s32s")
RECORD = struct.Struct("<QIIQQ")
MAGIC = b"pxtrace1"
KINDS, BUCKETS = 256, 32
HISTOGRAM = struct.Struct(f"<{KINDS * BUCKETS}I")
START = 0xFF3E  # the reason of a record of what came before a guest's first entry
INSN = 0xFF3F  # and of one that is an instruction, the detail its first bytes

FORMAT = "pxhv-trace-1"
IN_PXHV, IN_GUEST = 0, 1  # a vcpu's tracks


class NoTrace(PxhvError):
    """The hypervisor recorded nothing."""


@dataclass
class Trace:
    """What one vcpu left behind."""

    vm: str
    vcpu: int
    vendor: str
    tsc_hz: int
    begin: int  # TSC when recording began
    written: int
    records: list[tuple[int, int, int, int, int]]  # rip, reason, ticks, tsc, detail: oldest first
    histogram: dict[str, list[int]]  # by exit name: how many took 2^n to 2^(n+1) - 1 ticks

    @property
    def lost(self) -> int:
        return self.written - len(self.records)


def text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("ascii", "replace")


def parse(memory: bytes) -> Trace:
    """Reads struct trace with its records."""
    if len(memory) < HEADER.size + HISTOGRAM.size or not memory.startswith(MAGIC):
        raise PxhvError("the PC's memory does not hold the trace any more")
    _, capacity, written, tsc_hz, begin, _, vcpu, _, vendor, vm = HEADER.unpack_from(memory)
    vendor, counts, at = text(vendor), HISTOGRAM.unpack_from(memory, HEADER.size), HEADER.size + HISTOGRAM.size
    if at + capacity * RECORD.size > len(memory):
        raise PxhvError("the trace's header is damaged")
    if not written:
        return Trace(text(vm), vcpu, vendor, tsc_hz, begin, 0, [], {})
    names = {reason & 0xFF: name for reason, name in exits.names(vendor).items()}
    histogram = {names.get(kind, f"exit {kind:#x}"): list(row) for kind in range(KINDS)
                 if kind != START & 0xFF and any(row := counts[kind * BUCKETS:(kind + 1) * BUCKETS])}
    kept = min(written, capacity)
    first = written % capacity if written > capacity else 0
    records = [RECORD.unpack_from(memory, at + (first + i) % capacity * RECORD.size) for i in range(kept)]
    records.sort(key=lambda r: r[3])  # an instruction's goes before older exits'
    return Trace(text(vm), vcpu, vendor, tsc_hz, begin, written, records, histogram)


def track_id(vcpu: int, track: int) -> int:
    """The thread ID of a track. Some versions of Perfetto's UI take 0 for 1."""
    return vcpu * 2 + track + 1


def slices(trace: Trace, pid: int, zero: int) -> Iterator[dict]:
    """The events of one vcpu."""
    names = exits.names(trace.vendor) if trace.records else {}
    us = 1e6 / trace.tsc_hz
    tracks = [{"pid": pid, "tid": track_id(trace.vcpu, track)} for track in (IN_PXHV, IN_GUEST)]
    for track, name in zip(tracks, ("in pxHV", "in the guest")):
        yield {"ph": "M", "name": "thread_name", **track, "args": {"name": f"vcpu {trace.vcpu} {name}"}}
        yield {"ph": "M", "name": "thread_sort_index", **track, "args": {"sort_index": track["tid"]}}
    entered = None  # when the guest was last entered; not known before the first record
    for rip, reason, ticks, tsc, detail in trace.records:
        at = round((tsc - zero) * us, 4)
        if reason == INSN:
            yield {"ph": "i", "name": "instruction", "ts": at, **tracks[IN_GUEST], "s": "t",
                   "args": {"rip": f"{rip:#x}", "code": detail.to_bytes(8, "little").hex(" ")}}
            continue
        if reason == START:
            entered = None  # whatever was before: the guest did not run
        if entered is not None and tsc >= entered:
            yield {"ph": "X", "name": "guest", "cat": "guest", "ts": round((entered - zero) * us, 4),
                   "dur": round((tsc - entered) * us, 4), **tracks[IN_GUEST]}
        name = names.get(reason, f"exit {reason:#x}")
        args = {"rip": f"{rip:#x}", "ticks": ticks}
        entered = tsc + ticks
        if reason == START:
            name, args = "start", {"ticks": ticks}
        elif name == "HLT":
            args["idle"] = detail
            entered = tsc + max(ticks, detail)
        else:
            args["detail"] = f"{detail:#x}"
            if said := exits.what(name, detail):
                args["what"] = said
        yield {"ph": "X", "name": name, "cat": "start" if reason == START else "exit", "ts": at,
               "dur": round((entered - tsc) * us, 4), **tracks[IN_PXHV], "args": args}


def events(traces: list[Trace]) -> Iterator[dict]:
    """All events; time 0 is when the first trace began."""
    zero = min(t.begin for t in traces)
    vms = list(dict.fromkeys(t.vm for t in traces))
    for pid, vm in enumerate(vms, 1):
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": f"vm {vm}"}}
    for t in traces:
        yield from slices(t, vms.index(t.vm) + 1, zero)


def summary(trace: Trace) -> dict:
    return {"vm": trace.vm, "vcpu": trace.vcpu, "vendor": trace.vendor, "tsc_hz": trace.tsc_hz,
            "exits": sum(map(sum, trace.histogram.values())), "lost": trace.lost, "histogram": trace.histogram}


def write(path: Path, memories: list[bytes]) -> list[Trace]:
    """Writes the timeline of what the hypervisor left in its memory."""
    traces = [t for t in map(parse, memories) if t.written]
    if not traces:
        raise NoTrace("no trace: no guest ran that was to be traced (in a config: trace = 16M)")
    head = {"displayTimeUnit": "ns", "otherData": {"format": FORMAT, "vcpus": [summary(t) for t in traces]}}
    with open(path, "w", encoding="ascii") as out:
        out.write(json.dumps(head)[:-1] + ', "traceEvents": [')
        separator = "\n"
        for event in events(traces):
            out.write(separator + json.dumps(event, separators=(",", ":")))
            separator = ",\n"
        out.write("\n]}\n")
    return traces
