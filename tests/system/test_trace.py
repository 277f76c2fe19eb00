"""The exit trace: what a run leaves in its timeline, and what `pxhv trace` says of it."""

import json
import re
import struct
import subprocess
import sys

import pytest
from conftest import BUILD, ROOT, assemble
from matrix import TEST_MACHINES

sys.path.insert(0, str(ROOT / "tools"))
from pxhvlib import trace, trace_report  # noqa: E402  (the path must be set first)
from pxhvlib.status import PxhvError, UsageError  # noqa: E402
from pxhvlib.symbols import Symbols  # noqa: E402

COST = 40  # ticks an exit, at most
VENDORS = {"bochs": "VT-x", "qemu": "AMD-V"}
# The exits of tests/guests/exits.asm, by name on either vendor and what they were for.
EXITS = {
    ("CPUID", "CPUID", None): 300,
    ("IO_INSTRUCTION", "IOIO", "out 0x2e9"): 200,
    ("IO_INSTRUCTION", "IOIO", "in 0x2e9"): 100,
    ("RDMSR", "MSR", "rdmsr 0x1b"): 50,
    ("EPT_VIOLATION", "NPF", "memory 0xfec00010"): 40,
    ("IO_INSTRUCTION", "IOIO", "out 0xf4"): 1,
}

AVERAGE = """
%include "lib.inc"
main:
	call read_tsc
	mov r15, rax
	mov r14d, {rounds}
.again:
	cpuid
	dec r14d
	jnz .again
	call read_tsc
	sub rax, r15
	call putdec
	SAY " ticks"
	ret
"""


def slices(timeline, track):
    """The slices of one of vcpu 0's tracks: threads 1 and 2, since Perfetto took 0 for 1."""
    return [e for e in timeline["traceEvents"] if e["ph"] == "X" and (e["pid"], e["tid"]) == (1, 1 + track)]


def traced(pxhv, tmp_path, engine, cpu, image, *args):
    """Runs a flat guest; its timeline, and the run."""
    file = tmp_path / "trace.json"
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{image}@0x100000:64", "--timeout", "60", "--trace", file,
               *args)
    assert run.status == 0, run.output + run.errors
    return json.loads(file.read_text()), run


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
def test_counts_are_exact(pxhv, tmp_path, engine, cpu):
    timeline, run = traced(pxhv, tmp_path, engine, cpu, BUILD / "tests/guests/exits.bin")
    (summary,) = timeline["otherData"]["vcpus"]
    exits = [s for s in slices(timeline, trace.IN_PXHV) if s["cat"] == "exit"]
    assert summary["vendor"] == VENDORS[engine] and summary["lost"] == 0
    assert summary["exits"] == len(exits)
    assert f"{len(exits) + 1} records" in run.errors
    for (vmx, svm, what), count in EXITS.items():
        name = vmx if engine == "bochs" else svm
        found = [e for e in exits if e["name"] == name and what in (None, e["args"].get("what"))]
        assert len(found) == count, (name, what)
    for name in {e["name"] for e in exits}:
        assert sum(summary["histogram"][name]) == sum(e["name"] == name for e in exits)
    loops = {e["args"]["rip"] for e in exits if e["name"] == "CPUID"}
    assert len(loops) == 1 and 0x100000 < int(loops.pop(), 16) < 0x102000
    # Guest and hypervisor take turns, from the start to the exit that ended the run.
    both = sorted(slices(timeline, trace.IN_PXHV) + slices(timeline, trace.IN_GUEST), key=lambda s: (s["ts"], s["dur"]))
    assert both[0]["cat"] == "start" and both[-1]["args"]["what"] == "out 0xf4"
    for one, two in zip(both, both[1:]):
        assert abs(one["ts"] + one["dur"] - two["ts"]) < 0.001
        assert (one["cat"] == "guest") != (two["cat"] == "guest")

    report = pxhv("trace", tmp_path / "trace.json")
    assert report.status == 0
    report.expect(rf"vm guest, vcpu 0, {VENDORS[engine]}: {len(exits)} exits", "in the hypervisor", r"CPUID +300 ",
                  r"out 0x2e9 +200 ", r"hottest addresses")


def test_oldest_records_are_lost(pxhv, tmp_path):
    image = assemble(tmp_path, "bits 64\nmov edi, 50000\nagain:\nxor eax, eax\ncpuid\ndec edi\njnz again\nmov al, 0\nout 0xf4, al\nhlt\n")
    timeline, run = traced(pxhv, tmp_path, "qemu", "", image, "--trace-memory", "1M")
    (summary,) = timeline["otherData"]["vcpus"]
    kept = [s for s in slices(timeline, trace.IN_PXHV) if s["cat"] == "exit"]
    assert sum(summary["histogram"]["CPUID"]) == 50000
    assert summary["exits"] + 1 == summary["lost"] + len(kept)  # a record more: the start
    assert 30000 < len(kept) < 32768 and kept[-1]["args"]["what"] == "out 0xf4"
    assert f"the first {summary['lost']} lost" in run.errors
    pxhv("trace", tmp_path / "trace.json").expect("the trace lost the first", r"CPUID +50000 ")


def test_a_timeout_keeps_the_trace(pxhv, tmp_path):
    image, file = assemble(tmp_path, "bits 64\nsti\nidle:\nhlt\njmp idle\n"), tmp_path / "trace.json"
    run = pxhv("run", "--engine", "qemu", "--flat", f"{image}@0x100000:64", "--timeout", "5", "--trace", file)
    assert run.status == 124, run.output + run.errors
    names = [s["name"] for s in slices(json.loads(file.read_text()), trace.IN_PXHV)]
    assert "HLT" in names


def test_a_refusal_is_not_about_the_trace(pxhv, tmp_path):
    """The run's status is the hypervisor's, which has said why; nobody misses the trace of a guest that never ran."""
    conf = tmp_path / "pxhv.conf"
    conf.write_text("[vm a]\nflat = hello64.bin@0x100000:64\ntrace = 16M\ntrace-insns = 99999\n")
    run = pxhv("run", "--engine", "qemu", "--config", conf, "--file", BUILD / "guest/hello64.bin", "--timeout", "60",
               "--trace", tmp_path / "trace.json")
    run.expect(r"pxhv\.conf:4: trace-insns must be 1 to 65535")
    assert run.status == 4 and "no trace" not in run.errors, run.errors


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
def test_a_dead_guest_leaves_its_trace(pxhv, tmp_path, engine, cpu):
    file = tmp_path / "trace.json"
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{BUILD}/tests/guests/triple.bin@0x100000:64",
               "--timeout", "60", "--trace", file)
    assert run.status == 3, run.output + run.errors
    last = slices(json.loads(file.read_text()), trace.IN_PXHV)[-1]
    assert last["name"] == {"bochs": "TRIPLE_FAULT", "qemu": "SHUTDOWN"}[engine] and last["args"]["ticks"]


@pytest.mark.parametrize("engine, cpu, options", [(*TEST_MACHINES[0], []), (*TEST_MACHINES[1], ["--count"])])
def test_cost(pxhv, tmp_path, engine, cpu, options):
    """The bench guest's round trips with and without a trace."""
    one_exit = ["cpuid", "hypercall", "rdmsr_apic_base", "wrmsr_tsc_deadline", "out_pic", "in_pic", "out_uart", "in_uart",
                "in_unclaimed", "ioapic_write", "ioapic_read"]
    figures = []
    for more in ([], ["--trace", tmp_path / "trace.json"]):
        run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{BUILD}/tests/bench/bench.bin@0x100000:64", "--timeout",
                   "120", *options, *more)
        run.expect("bench done")
        figures.append({line.split()[1]: int(line.split()[2]) for line in run.output.splitlines()
                        if line.startswith("bench ") and line.count(" ") >= 2})
    off, on = figures
    assert {name: on[name] - off[name] for name in one_exit if not 0 < on[name] - off[name] <= COST} == {}


@pytest.mark.parametrize("engine, cpu, options", [(*TEST_MACHINES[0], []), (*TEST_MACHINES[1], ["--count"])])
def test_average_cost(pxhv, tmp_path, engine, cpu, options):
    """Over so many exits that saving the records counts too."""
    rounds = 6400
    image = assemble(tmp_path, AVERAGE.format(rounds=rounds))
    ticks = []
    for more in ([], ["--trace", tmp_path / "trace.json"]):
        run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{image}@0x100000:64", "--timeout", "60", *options, *more)
        run.expect("ticks")
        ticks.append(int(re.search(r"(\d+) ticks", run.output)[1]))
    assert 0 < (ticks[1] - ticks[0]) / rounds <= COST


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
def test_instructions(pxhv, tmp_path, engine, cpu):
    """The first 1700, IDT set-up by REP STOSQ and CPUIDs included; the guest takes no notice."""
    image = BUILD / "tests/guests/exits.bin"
    timeline, run = traced(pxhv, tmp_path, engine, cpu, image, "--trace-insns=1700")
    found = [(int(e["args"]["rip"], 16) - 0x100000, bytes.fromhex(e["args"]["code"]))
             for e in timeline["traceEvents"] if e["name"] == "instruction"]
    code = image.read_bytes()
    assert len(found) == 1700 and found[0][0] == 0
    for at, (offset, first) in enumerate(found):
        assert code[offset:offset + 8] == first[:len(code) - offset], at
    repeated = [offset for offset, first in found if first.startswith(b"\xf3\x48\xab")]
    assert len(repeated) == 512 and len(set(repeated)) == 1
    cpuids = [at for at, (_, first) in enumerate(found) if first.startswith(b"\x0f\xa2")]
    assert len(cpuids) > 100 and {b - a for a, b in zip(cpuids, cpuids[1:])} == {3}  # CPUID, DEC, JNZ
    assert all(a != b for a, b in zip(found, found[1:]) if not a[1].startswith(b"\xf3"))
    assert sum(e["name"] == "CPUID" for e in slices(timeline, trace.IN_PXHV)) == 300
    run.expect("exits ok")
    listing = pxhv("trace", tmp_path / "trace.json", "--insns")
    assert listing.status == 0 and len(listing.output.splitlines()) == 1700


def test_a_config_without_trace(pxhv, tmp_path):
    (tmp_path / "pxhv.conf").write_text("[vm a]\nflat = exits.bin@0x100000:64\ndebug-exit = yes\n")
    (tmp_path / "exits.bin").write_bytes((BUILD / "tests/guests/exits.bin").read_bytes())
    run = pxhv("run", "--engine", "qemu", "--config", tmp_path / "pxhv.conf", "--timeout", "60", "--trace", tmp_path / "t.json")
    assert run.status == 5 and "trace = 16M" in run.errors and "Traceback" not in run.errors


# --- the tool by itself ---

def memory(records, vendor=b"VT-x", capacity=4, hz=1000000, written=None, counts=()):
    """struct trace as the hypervisor leaves it."""
    histogram = [0] * (trace.KINDS * trace.BUCKETS)
    for kind, bucket, count in counts:
        histogram[kind * trace.BUCKETS + bucket] = count
    body = b"".join(trace.RECORD.pack(*r) for r in records).ljust(capacity * trace.RECORD.size, b"\0")
    return (trace.HEADER.pack(trace.MAGIC, capacity, len(records) if written is None else written, hz, 1000, 0, 0, 0, vendor, b"t")
            + trace.HISTOGRAM.pack(*histogram) + body)


SMALL = memory([(0, trace.START, 10, 1000, 0), (0x401000, 10, 100, 2000, 0), (0x401002, 30, 200, 3000, 0x3F80008),
                (0x402000, 12, 0xFFFFFFFF, 5000, 1 << 33)], counts=[(10, 6, 1), (30, 7, 1), (12, 31, 1), (trace.START & 0xFF, 3, 1)])


@pytest.fixture
def small(tmp_path):
    file = tmp_path / "small.json"
    trace.write(file, [SMALL])
    return file


def test_slices_of_a_small_trace(small):
    timeline = json.loads(small.read_text())
    assert [(s["name"], s["ts"], s["dur"]) for s in slices(timeline, trace.IN_PXHV)] == [
        ("start", 0, 10), ("CPUID", 1000, 100), ("IO_INSTRUCTION", 2000, 200), ("HLT", 4000, 1 << 33)]
    assert [(s["ts"], s["dur"]) for s in slices(timeline, trace.IN_GUEST)] == [(10, 990), (1100, 900), (2200, 1800)]
    assert [s["args"].get("what") for s in slices(timeline, trace.IN_PXHV)] == [None, None, "in 0x3f8", None]
    assert timeline["otherData"]["vcpus"][0]["histogram"]["CPUID"][6] == 1


def test_a_full_ring_begins_in_its_middle(tmp_path):
    m = memory([(n, 10, 1, 2000 + n * 10, 0) for n in (4, 5, 2, 3)], written=6)
    (t,) = trace.write(tmp_path / "t.json", [m])
    assert [r[0] for r in t.records] == [2, 3, 4, 5] and t.lost == 2


@pytest.mark.parametrize("broken", [b"", SMALL[:100], b"X" + SMALL[1:], SMALL[:-1], memory([])])
def test_memory_without_a_trace(tmp_path, broken):
    with pytest.raises(PxhvError):
        trace.write(tmp_path / "t.json", [broken])


def test_report_of_a_small_trace(small, tmp_path):
    (tmp_path / "System.map").write_text("0000000000401000 T start\n0000000000402000 t idle_loop\n0000000000403000 D data\n")
    lines = "\n".join(trace_report.report(small, Symbols.read(tmp_path / "System.map"), 12))
    for wanted in ("3 exits in", "CPUID                          1           100", "in 0x3f8", "start+0x2", "idle_loop"):
        assert wanted in lines, lines


def test_instructions_are_put_in_order(tmp_path):
    m = memory([(0x10, trace.INSN, 0, 1500, 0x90), (0, 10, 100, 1000, 0), (0x11, trace.INSN, 0, 2000, 0xC3)])
    trace.write(tmp_path / "t.json", [m])
    (tmp_path / "System.map").write_text("0000000000000010 T start\n")
    lines = trace_report.instructions(tmp_path / "t.json", Symbols.read(tmp_path / "System.map"))
    assert lines == ["      500.0000  0000000000000010  90 00 00 00 00 00 00 00  start",
                     "     1000.0000  0000000000000011  c3 00 00 00 00 00 00 00  start+0x1"]
    assert [e["name"] for e in json.loads((tmp_path / "t.json").read_text())["traceEvents"] if e["ph"] != "M"] == [
        "CPUID", "instruction", "instruction"]


def test_no_instructions(pxhv, small):
    run = pxhv("trace", small, "--insns")
    assert run.status == 2 and "--trace-insns" in run.errors


@pytest.mark.parametrize("content", [
    b"", b"\x7fELF", b"[]", b"{}", b"3", b'{"traceEvents": []}', b'{"otherData": {"format": "other"}, "traceEvents": []}',
    b'{"otherData": {"format": "pxhv-trace-1", "vcpus": [{}]}, "traceEvents": []}',
    b'{"otherData": {"format": "pxhv-trace-1", "vcpus": 3}, "traceEvents": [4]}',
    b'{"otherData": {"format": "pxhv-trace-1", "vcpus": []', b"\xff\xfe\x00", b"[" * 100000])
def test_what_is_not_a_trace(pxhv, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    run = pxhv("trace", tmp_path / "file")
    assert run.status == 2 and str(tmp_path / "file") in run.errors and "Traceback" not in run.errors


@pytest.mark.parametrize("field, value", [("tsc_hz", 0), ("histogram", {"CPUID": [1], "HLT": [0, 1]}),
                                          ("histogram", 4), ("vcpu", None), ("vm", "other")])
def test_damaged_trace(pxhv, small, tmp_path, field, value):
    content = json.loads(small.read_text())
    content["otherData"]["vcpus"][0][field] = value
    (tmp_path / "damaged.json").write_text(json.dumps(content))
    run = pxhv("trace", tmp_path / "damaged.json")
    assert run.status == 2 and "damaged" in run.errors and "Traceback" not in run.errors


def test_no_file(pxhv):
    run = pxhv("trace", "/nowhere/trace.json")
    assert run.status == 2 and "/nowhere/trace.json" in run.errors


@pytest.mark.parametrize("bits", [32, 64])
def test_symbols_of_an_elf_file(tmp_path, bits):
    (tmp_path / "a.asm").write_text(f"bits {bits}\nsection .text\nglobal one, two\none: nop\nnop\ntwo: ret\nsection .data\ndatum: dd 0\n")
    subprocess.run(["nasm", "-f", f"elf{bits}", tmp_path / "a.asm", "-o", tmp_path / "a.o"], check=True)
    subprocess.run(["ld", "-m", "elf_x86_64" if bits == 64 else "elf_i386", "-Ttext=0x10000", "-e", "one", tmp_path / "a.o", "-o",
                    tmp_path / "a.elf"], check=True)
    symbols = Symbols.read(tmp_path / "a.elf")
    assert [symbols.name(a) for a in (0xFFFF, 0x10000, 0x10001, 0x10002)] == ["", "one", "one+0x1", "two"]
    subprocess.run(["strip", tmp_path / "a.elf"], check=True)
    with pytest.raises(UsageError, match="no symbols"):
        Symbols.read(tmp_path / "a.elf")


def test_symbols_for_gdb(pxhv, tmp_path):
    (tmp_path / "System.map").write_text("ffffffff81000000 T _text\nffffffff81000010 t same\nffffffff81000020 t same\n")
    run = pxhv("symbols", tmp_path / "System.map", "-o", tmp_path / "elf")
    assert run.status == 0, run.errors
    names = subprocess.run(["nm", "-n", tmp_path / "elf"], check=True, capture_output=True, text=True).stdout
    assert names == "ffffffff81000000 T _text\nffffffff81000010 T same\nffffffff81000020 T same\n"
    symbols = Symbols.read(tmp_path / "elf")
    assert [symbols.name(0xFFFFFFFF81000000 + n) for n in (0, 0x1F)] == ["_text", "same+0xf"]
    assert pxhv("symbols", tmp_path / "System.map", "-o", "/nowhere/elf").status == 2
    assert pxhv("symbols", "/nowhere/System.map", "-o", tmp_path / "elf").status == 2


def test_symbols_that_only_root_sees(pxhv, tmp_path):
    (tmp_path / "kallsyms").write_text("0000000000000000 T _text\n0000000000000000 t same\n")
    run = pxhv("symbols", tmp_path / "kallsyms", "-o", tmp_path / "elf")
    assert run.status == 2 and "addresses of 0 alone" in run.errors
    assert not (tmp_path / "elf").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x7fELF", b"\x7fELF\2\1" + bytes(60), b"\x7fELF\1\2" + bytes(60),
                                     b"\x7fELF\2\1" + struct.pack("<34xQ10xHH2x", 1 << 60, 64, 3)])
def test_what_has_no_symbols(pxhv, small, tmp_path, content):
    (tmp_path / "vmlinux").write_bytes(content)
    run = pxhv("trace", small, "--symbols", tmp_path / "vmlinux")
    assert run.status == 2 and "vmlinux" in run.errors and "Traceback" not in run.errors
