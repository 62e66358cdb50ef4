"""Mutation tests without a rebuild per mutant.

cargo-mutants lists the mutants. All of them are compiled into one copy of the crate, each behind a
number, and PROVISION_MUTANT switches one on when a test binary starts: a mutant then costs the run of
its tests, and not the minutes that a build of this crate takes. Mutants that do not compile are found
by the compiler and left out. Every test is run alone once, to see which functions it reaches: a mutant
has to be noticed by the tests that reach its function, the quick ones first.
What is missed must stand in tests/mutants.txt with its reason.

    python3 scripts/mutants.py [--area AREA]... [--sample N] [--minutes N] [--seconds N] [--jobs N] [--without BINARY]...

Needs `target/tools/mutants/bin/cargo-mutants`; `just mutants` installs it.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
TREE = WORK / "tree"
LISTER = ROOT / "target/tools/mutants/bin/cargo-mutants"
ACCEPTED = ROOT / "tests" / "mutants.txt"

# For each area: its files, and the test binaries that are to catch what is changed in it; "lib" is the
# unit tests. A mutant belongs to the first area that has its file.
AREAS = {
    "apply": (["src/apply/**/*.rs"], ["lib", "faults"]),
    "plan": (["src/plan/**/*.rs"], ["lib", "faults"]),
    "diff": (["src/diff.rs"], ["lib"]),
    "law": (["src/kinds/law/**/*.rs", "src/policy/law.rs", "src/policy/together.rs"], ["lib", "policy", "faults"]),
    "policy": (["src/policy/**/*.rs"], ["lib", "policy", "audit"]),
}

# A binary with a main of its own is one test: it takes no names of tests.
WHOLE = {"faults"}

# A test that uses more processor time than this is not asked: there are hundreds of quicker ones.
SLOW = 20

# Tests that say how long something may take are not asked: on a busy machine they fail without a mutant.
TIMED = "limits::"

# Tests may use this many times the processor time that they use without a mutant, and at least so many
# seconds: a loop that does not end counts as caught. Who waits for what never comes uses none, and is
# caught after so many seconds on the clock, more than a busy machine makes of them.
PATIENCE, LEAST, CLOCK = 4, 10, 300

# What a process may allocate: a loop that does not end often fills the memory.
MEMORY = 6 << 30

# The copy is built once and run thousands of times, without lines in backtraces.
PROFILE = ["--config", "profile.dev.package.provision.opt-level=1", "--config", "profile.dev.package.provision.debug=false"]

SWITCH = '''
/// The number of the mutant that is switched on in this process, 0 for none, asked by a function of this number.
#[inline]
pub fn mutant(function: usize) -> u32 {
    static NUMBER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    static RECORD: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    static REACHED: [std::sync::atomic::AtomicBool; 1 << 14] =
        [const { std::sync::atomic::AtomicBool::new(false) }; 1 << 14];
    let record = RECORD.get_or_init(|| std::env::var("PROVISION_MUTANT_RECORD").ok());
    if let Some(path) = record {
        if !REACHED[function].swap(true, std::sync::atomic::Ordering::Relaxed) {
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(format!("{function}\\n").as_bytes()).unwrap();
        }
    }
    *NUMBER.get_or_init(|| {
        let number = std::env::var("PROVISION_MUTANT").ok();
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    })
}
'''


def listed(area):
    """The mutants of an area, as cargo-mutants lists them."""
    files, _ = AREAS[area]
    command = [LISTER, "mutants", "--no-config", "--list", "--json", "--dir", ROOT]
    for pattern in files:
        command += ["--file", pattern]
    output = subprocess.run(command, check=True, capture_output=True, text=True)
    return [mutant for mutant in json.loads(output.stdout) if not is_planted(mutant)]


def is_planted(mutant):
    """Whether it changes a planted bug: that is code of the tests."""
    lines = (ROOT / mutant["file"]).read_text().splitlines()
    return mutant["file"].endswith("planted.rs") or "planted(Bug::" in lines[mutant["span"]["start"]["line"] - 1]


class Text:
    """The text of a file, with positions by line and column."""

    def __init__(self, text):
        self.text = text
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def offset(self, place):
        return self.starts[place["line"] - 1] + place["column"] - 1

    def span(self, span):
        return self.offset(span["start"]), self.offset(span["end"])


TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<hash>\#*)".*?"(?P=hash)|b?"(?:\\.|[^"\\])*"
    |b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])'|'[A-Za-z_]\w*|[{}]""",
    re.VERBOSE | re.DOTALL,
)


def body(text, start, end):
    """The block that ends a function: from its opening to its closing brace."""
    depth, opening = 0, None
    for token in TOKEN.finditer(text, start, end):
        if token.group() == "{":
            if depth == 0:
                opening = token.start()
            depth += 1
        elif token.group() == "}":
            depth -= 1
            if depth == 0:
                closing = token.end()
    return opening, closing


class Function:
    """A function with its mutants."""

    def __init__(self, source, span, mutants):
        self.start, self.end = source.span(span)
        self.opening, self.closing = body(source.text, self.start, self.end)
        self.signature = source.text[self.start : self.opening]
        self.mutants = mutants

    def switchable(self):
        """Whether its body may stand in several arms of a match."""
        return "const fn" not in self.signature and "-> impl" not in self.signature

    def arms(self, source):
        """The function's block for each of its mutants."""
        text = source.text
        for mutant in self.mutants:
            start, end = source.span(mutant["span"])
            replaced = text[self.opening : start] + mutant["replacement"] + text[end : self.closing]
            if start <= self.opening and end >= self.closing:
                replaced = mutant["replacement"]
            yield mutant, replaced


def functions(source, mutants):
    """The functions of a file that have mutants, those inside another function left out."""
    groups = collections.defaultdict(list)
    for mutant in mutants:
        if mutant.get("function"):
            span = mutant["function"]["span"]
            groups[json.dumps(span)].append(mutant)
    found = [Function(source, json.loads(span), group) for span, group in groups.items()]
    found.sort(key=lambda one: (one.start, -one.end))
    outer, last = [], -1
    for one in found:
        if one.start >= last:
            outer.append(one)
            last = one.end
    return outer


def write(path, mutants):
    """Writes a file with all these mutants; gives which lines are whose."""
    source = Text((ROOT / path).read_text())
    out, at, lines, tried = [], 0, [], []

    def line():
        return sum(part.count("\n") for part in out) + 1

    for function in functions(source, mutants):
        if not function.switchable():
            continue
        out.append(source.text[at : function.opening])
        first = line()
        number = function.mutants[0]["number"]
        out.append(f"{{ match crate::mutant({number}) {{\n")
        for mutant, block in function.arms(source):
            begin = line()
            out.append(f"{mutant['number']}u32 => {block},\n")
            lines.append((begin, line() - 1, [mutant]))
            tried.append({**mutant, "reached": number})
        out.append(f"_ => {source.text[function.opening:function.closing]}\n}} }}")
        # What is not in one arm is about the function as a whole.
        lines.append((first, line(), function.mutants))
        at = function.closing
    out.append(source.text[at:])
    write_if_new(TREE / path, "".join(out))
    return lines, tried


def write_if_new(path, text):
    """Writes a file unless it says that already: what is not touched is not built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def copy_tree(mutated):
    """A copy of what git knows, without lints; the mutated files are written later."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    own = {"Cargo.toml", "src/lib.rs", *mutated}
    for name in filter(None, files):
        if (ROOT / name).is_file() and name not in own:
            write_if_new(TREE / name, (ROOT / name).read_bytes())
    manifest = (ROOT / "Cargo.toml").read_text()
    manifest = re.sub(r"(?ms)^\[lints\..*?(?=^\[(?!lints)|\Z)", "", manifest)
    write_if_new(TREE / "Cargo.toml", manifest)
    library = (ROOT / "src/lib.rs").read_text()
    head = re.match(r"(?s)((?://![^\n]*\n)*)", library).group()
    write_if_new(TREE / "src/lib.rs", head + "#![allow(warnings, clippy::all)]\n" + library[len(head) :] + SWITCH)


def cargo(*arguments):
    command = [*os.environ.get("PROVISION_CARGO", "cargo").split(), *arguments, *PROFILE, "--message-format=json"]
    environment = dict(os.environ)
    environment.setdefault("CARGO_TARGET_DIR", str(ROOT / "target"))
    ran = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, text=True)
    messages = []
    for text in ran.stdout.splitlines():
        if text.startswith("{"):
            messages.append(json.loads(text))
    return ran.returncode, messages


def key_of(mutant):
    """What says of a mutant that it is the one of another run: its function's text with its change."""
    lines = (ROOT / mutant["file"]).read_text().splitlines()
    span = (mutant.get("function") or mutant)["span"]
    text = "\n".join(lines[span["start"]["line"] - 1 : span["end"]["line"]])
    name = re.sub(r":(\d+):(\d+): ", lambda at: f":{int(at[1]) - span['start']['line']}:{at[2]}: ", mutant["name"])
    return hashlib.sha256(f"{name}\n{text}".encode()).hexdigest()


def viable(by_file):
    """Leaves out what does not compile, until the rest does."""
    remembered = WORK / "unviable.json"
    known = set(json.loads(remembered.read_text())) if remembered.exists() else set()
    unviable = {mutant["number"] for mutants in by_file.values() for mutant in mutants if key_of(mutant) in known}
    while True:
        whose, tried = {}, []
        for path, mutants in by_file.items():
            left = [mutant for mutant in mutants if mutant["number"] not in unviable]
            whose[path], more = write(path, left)
            tried += more
        code, messages = cargo("test", "--locked", "--lib", "--no-run")
        if code == 0:
            return tried, unviable
        blamed = set()
        for message in messages:
            error = message.get("message") or {}
            if message.get("reason") != "compiler-message" or error.get("level") != "error":
                continue
            for span in error.get("spans", []):
                around = [
                    entry
                    for entry in whose.get(span["file_name"], [])
                    if entry[0] <= span["line_start"] <= entry[1]
                ]
                if around:
                    smallest = min(around, key=lambda entry: entry[1] - entry[0])
                    blamed |= {mutant["number"] for mutant in smallest[2]}
        new = blamed - unviable
        if not new:
            for message in messages:
                if (message.get("message") or {}).get("level") == "error":
                    print(message["message"].get("rendered"))
            sys.exit("The copy does not compile, and no mutant is to blame.")
        unviable |= new
        keys = [key_of(mutant) for mutants in by_file.values() for mutant in mutants if mutant["number"] in unviable]
        remembered.write_text(json.dumps(sorted(keys)))
        print(f"  {len(new)} do not compile and are left out", flush=True)


def binaries(names):
    """Builds the tests; gives their paths by name."""
    arguments = ["test", "--locked", "--no-run"]
    for name in names:
        arguments += ["--lib"] if name == "lib" else ["--test", name]
    code, messages = cargo(*arguments)
    paths = {}
    for message in messages:
        if message.get("reason") == "compiler-artifact" and message.get("executable") and message["profile"]["test"]:
            kind = message["target"]["kind"]
            name = "lib" if "lib" in kind else message["target"]["name"]
            paths[name] = message["executable"]
    if code != 0 or set(names) - set(paths):
        for message in messages:
            if (message.get("message") or {}).get("level") == "error":
                print(message["message"].get("rendered"))
        sys.exit("The tests do not build.")
    return paths


def run(command, number, cpu, record=None):
    """Runs tests with a mutant switched on: what became of them, and the processor time that they took."""
    environment = dict(os.environ, PROVISION_MUTANT=str(number), RUST_BACKTRACE="0")
    environment["POLICY_FEW"] = "1"
    # The copy lies elsewhere than the checkout beside which the corpora are.
    environment.setdefault("PROVISION_CORPORA", str(ROOT.parent / "shared/corpora"))
    environment["PROPTEST_DISABLE_FAILURE_PERSISTENCE"] = "1"
    if record:
        environment["PROVISION_MUTANT_RECORD"] = str(record)

    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=TREE, env=environment, stdin=nothing, stdout=nothing, stderr=nothing, preexec_fn=limits
    )
    late = threading.Timer(CLOCK + 10 * cpu, process.kill)
    late.start()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    late.cancel()
    took = used.ru_utime + used.ru_stime
    if process.returncode in (-9, -24):
        return "timeout", took
    return "passed" if process.returncode == 0 else "failed", took


def tests_of(paths, binary):
    """The tests of a binary, each by its name; a whole one is one test without a name."""
    if binary in WHOLE:
        return [""]
    listing = subprocess.run([paths[binary], "--list"], cwd=TREE, check=True, capture_output=True, text=True).stdout
    return [test for test in re.findall(r"(?m)^(.*): test$", listing) if not test.startswith(TIMED)]


def command_of(paths, binary, names):
    """The command that runs these tests of a binary, and no other."""
    if binary in WHOLE:
        return [paths[binary]]
    return [paths[binary], "--exact", "--test-threads=1", *names]


def alone(paths, binary, test):
    """What a test reaches when it runs alone, and the processor time that it takes."""
    record = WORK / f"reached-{threading.get_ident()}"
    record.unlink(missing_ok=True)
    limit = 3600 if binary in WHOLE else SLOW
    result, took = run(command_of(paths, binary, [test]), 0, limit, record)
    reached = sorted(map(int, record.read_text().split())) if record.exists() else []
    return {"binary": binary, "test": test, "result": result, "seconds": took, "reached": reached}


def reach(paths, jobs, most):
    """Every test of at most so many seconds with what it reaches, the quick ones first."""
    remembered = WORK / "reached.json"
    before = json.loads(remembered.read_text()) if remembered.exists() else {}
    all_tests = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for binary, path in paths.items():
            digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            if before.get(binary, {}).get("digest") != digest:
                tests = list(pool.map(lambda test: alone(paths, binary, test), tests_of(paths, binary)))
                before[binary] = {"digest": digest, "tests": tests}
                remembered.write_text(json.dumps(before))
            all_tests[binary] = before[binary]["tests"]
    usable = []
    for binary, tests in all_tests.items():
        used = [test for test in tests if test["result"] == "passed" and test["seconds"] <= most]
        print(f"  {binary}: {len(used)} tests, {sum(test['seconds'] for test in used):.0f} s alone", flush=True)
        for test in tests:
            if test["result"] == "timeout" or test["seconds"] > most:
                print(f"    not asked, takes {test['seconds']:.0f} s or more: {test['test']}", flush=True)
            elif test["result"] == "failed":
                print(f"    not asked, fails alone and without a mutant: {test['test']}", flush=True)
        usable += used
    usable.sort(key=lambda test: (test["binary"] in WHOLE, test["seconds"]))
    return usable


def batches(tests):
    """Tests in the order in which they run: as many at once as together take no longer than all before."""
    batch, before = [], 0.2
    for test in tests:
        taken = sum(one["seconds"] for one in batch)
        if batch and (batch[0]["binary"] != test["binary"] or taken + test["seconds"] > before):
            yield batch
            before += taken
            batch = []
        batch.append(test)
    if batch:
        yield batch


def judge(paths, usable, binaries, mutant, until):
    """What became of a mutant: caught by which tests, or missed; nothing where the time is over."""
    if time.monotonic() > until:
        return None
    tests = [test for test in usable if test["binary"] in binaries and mutant["reached"] in test["reached"]]
    for batch in batches(tests):
        seconds = max(LEAST, PATIENCE * sum(test["seconds"] for test in batch))
        names = [test["test"] for test in batch]
        result, _ = run(command_of(paths, batch[0]["binary"], names), mutant["number"], seconds)
        if result != "passed":
            return f"caught\t{result} {batch[0]['binary']} {names[0]} and {len(names) - 1} more"
    return f"missed\tby {len(tests)} tests that reach it"


def name_of(mutant):
    """The mutant in words that outlive a change of lines."""
    return re.sub(r":\d+:\d+: ", ": ", mutant["name"])


def missed_before():
    """What the log of the last run says was missed."""
    lines = [line.split("\t") for line in (WORK / "log.txt").read_text().splitlines()]
    return {name_of({"name": fields[-1]}) for fields in lines if fields[1] == "missed"}


def accepted():
    """The mutants that may be missed: lines of tests/mutants.txt, each under its reason."""
    if not ACCEPTED.exists():
        return set()
    lines = ACCEPTED.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def number_all():
    """Every mutant of every area with its number, by file: one copy serves all runs."""
    by_file, seen, number = collections.defaultdict(list), set(), 0
    for area in AREAS:
        for mutant in listed(area):
            key = (mutant["file"], json.dumps(mutant["span"]), mutant["replacement"])
            if key not in seen:
                seen.add(key)
                number += 1
                mutant.update(number=number, area=area)
                by_file[mutant["file"]].append(mutant)
    return by_file


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--area", action="append", choices=list(AREAS), help="this area, in the order given")
    parser.add_argument("--sample", type=int, default=1, help="one of this many mutants, by chance of a fixed seed")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no mutant after so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--without", action="append", default=[], help="a test binary that is not asked")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="ask no test that takes longer alone")
    parser.add_argument("--again", action="store_true", help="only what the run before this one missed")
    parser.add_argument("--only", help="the mutants whose name has this regular expression")
    options = parser.parse_args()
    areas = options.area or list(AREAS)
    asked = {area: [one for one in AREAS[area][1] if one not in options.without] for area in areas}
    TREE.mkdir(parents=True, exist_ok=True)
    by_file = number_all()
    copy_tree(by_file)
    print(f"{sum(map(len, by_file.values()))} mutants in {len(by_file)} files", flush=True)
    tried, unviable = viable(by_file)
    paths = binaries(sorted({name for names in asked.values() for name in names}))
    usable = reach(paths, options.jobs, options.seconds)
    before = missed_before() if options.again else None
    chosen = []
    for area in areas:
        mine = [mutant for mutant in tried if mutant["area"] == area and re.search(options.only or "", mutant["name"])]
        mine = [mutant for mutant in mine if before is None or name_of(mutant) in before]
        # In an order of chance, so that what ran when the time is over is a fair sample.
        random.Random(0).shuffle(mine)
        chosen += mine[:: options.sample]
    until = time.monotonic() + 60 * options.minutes
    outcomes = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, open(WORK / "log.txt", "w") as log:
        futures = {
            pool.submit(judge, paths, usable, asked[mutant["area"]], mutant, until): mutant for mutant in chosen
        }
        for future in concurrent.futures.as_completed(futures):
            mutant = futures[future]
            if future.result():
                outcomes[mutant["number"]] = future.result()
                log.write(f"{mutant['area']}\t{future.result()}\t{mutant['genre']}\t{mutant['name']}\n")
                log.flush()
    report(areas, by_file, tried, unviable, outcomes)


def report(areas, by_file, tried, unviable, outcomes):
    """Prints the counts by area and kind of change, and what is missed; fails on what is missed and not accepted."""
    known = accepted()
    bad = []
    for area in areas:
        every = [mutant for mutants in by_file.values() for mutant in mutants if mutant["area"] == area]
        stopped = sum(mutant["number"] in unviable for mutant in every)
        mine = [mutant for mutant in tried if mutant["area"] == area]
        ran = [mutant for mutant in mine if mutant["number"] in outcomes]
        missed = [mutant for mutant in ran if outcomes[mutant["number"]].startswith("missed")]
        new = [mutant for mutant in missed if name_of(mutant) not in known]
        print(
            f"{area}: {len(every)} listed, {stopped} do not compile, {len(every) - stopped - len(mine)} could not be "
            f"switched; {len(ran)} of {len(mine)} ran: {counts(ran, missed)}, {len(new)} of them not accepted"
        )
        for genre in sorted({mutant["genre"] for mutant in ran}):
            print(f"  {genre}: {counts(*([one for one in some if one['genre'] == genre] for some in (ran, missed)))}")
        bad += new
    for mutant in bad:
        print(f"MISSED {name_of(mutant)}")
    sys.exit(1 if bad else 0)


def counts(ran, missed):
    """How many of those that ran were caught, in words."""
    caught = len(ran) - len(missed)
    return f"{caught} of {len(ran)} caught ({100 * caught / max(len(ran), 1):.1f} %), {len(missed)} missed"


main()
