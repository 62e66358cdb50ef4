"""Mutation tests without a rebuild per mutant.

cargo-mutants lists the mutants. All of them are compiled into one copy of the crate, each behind a
number, and PROVISION_MUTANT switches one on when a test binary starts: a mutant then costs the run of
its tests, and not the minutes that a build of this crate takes. Mutants that do not compile are found
by the compiler and left out. What is missed must stand in tests/mutants.txt with its reason.

    python3 scripts/mutants.py [--area AREA]... [--sample N] [--jobs N]

Needs `target/tools/mutants/bin/cargo-mutants`; `just mutants` installs it.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
TREE = WORK / "tree"
LISTER = ROOT / "target/tools/mutants/bin/cargo-mutants"
ACCEPTED = ROOT / "tests" / "mutants.txt"

# For each area: its files, and the tests that are to catch what is changed in it, quick ones first.
# A test is a binary and its arguments; "lib" is the unit tests.
AREAS = {
    "apply": (["src/apply/**/*.rs"], [("lib", ["apply::"]), ("lib", ["kinds::"]), ("faults", [])]),
    "plan": (["src/plan/**/*.rs"], [("lib", ["plan::"]), ("lib", ["law"]), ("lib", ["kinds::"]), ("faults", [])]),
    "diff": (["src/diff.rs"], [("lib", ["diff::"]), ("lib", ["plan::"]), ("lib", ["report::"])]),
    "law": (
        ["src/kinds/law/**/*.rs", "src/policy/law.rs", "src/policy/together.rs"],
        [("lib", ["law"]), ("lib", ["kinds::"]), ("faults", [])],
    ),
    "policy": (["src/policy/**/*.rs"], [("lib", ["policy::"]), ("policy", []), ("lib", ["kinds::"])]),
}

# A test may take this many times as long as without a mutant, and at least so many seconds: a loop that
# does not end counts as caught, a busy machine does not.
PATIENCE, LEAST = 4, 30

SWITCH = '''
/// The number of the mutant that is switched on in this process; 0 is none.
#[inline]
pub fn mutant() -> u32 {
    static NUMBER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
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
        out.append("{ match crate::mutant() {\n")
        for mutant, block in function.arms(source):
            begin = line()
            out.append(f"{mutant['number']}u32 => {block},\n")
            lines.append((begin, line() - 1, [mutant]))
            tried.append(mutant)
        out.append(f"_ => {source.text[function.opening:function.closing]}\n}} }}")
        # What is not in one arm is about the function as a whole.
        lines.append((first, line(), function.mutants))
        at = function.closing
    out.append(source.text[at:])
    target = TREE / path
    target.write_text("".join(out))
    return lines, tried


def copy_tree():
    """A fresh copy of what git knows, without lints."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            target = TREE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
                shutil.copyfile(ROOT / name, target)
    manifest = (ROOT / "Cargo.toml").read_text()
    manifest = re.sub(r"(?ms)^\[lints\..*?(?=^\[(?!lints)|\Z)", "", manifest)
    (TREE / "Cargo.toml").write_text(manifest)
    library = (ROOT / "src/lib.rs").read_text()
    head = re.match(r"(?s)((?://![^\n]*\n)*)", library).group()
    (TREE / "src/lib.rs").write_text(head + "#![allow(warnings, clippy::all)]\n" + library[len(head) :] + SWITCH)


def cargo(*arguments):
    command = [*os.environ.get("PROVISION_CARGO", "cargo").split(), *arguments, "--message-format=json"]
    environment = dict(os.environ)
    environment.setdefault("CARGO_TARGET_DIR", str(ROOT / "target"))
    ran = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, text=True)
    messages = []
    for text in ran.stdout.splitlines():
        if text.startswith("{"):
            messages.append(json.loads(text))
    return ran.returncode, messages


def viable(by_file):
    """Leaves out what does not compile, until the rest does."""
    unviable = set()
    while True:
        whose, tried = {}, []
        for path, mutants in by_file.items():
            left = [mutant for mutant in mutants if mutant["number"] not in unviable]
            whose[path], more = write(path, left)
            tried += more
        code, messages = cargo("check", "--locked", "--lib")
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


def run_test(paths, test, number, patience=None):
    """Whether a test passes with this mutant switched on."""
    name, arguments = test
    environment = dict(os.environ, PROVISION_MUTANT=str(number), RUST_BACKTRACE="0")
    try:
        ran = subprocess.run(
            [paths[name], *arguments],
            cwd=TREE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    return "passed" if ran.returncode == 0 else "failed"


def judge(paths, patience, areas, mutant):
    """What became of a mutant: caught by which test, or missed."""
    for test in areas[mutant["area"]]:
        result = run_test(paths, test, mutant["number"], patience[test[0], *test[1]])
        if result != "passed":
            return f"caught by {test[0]} {' '.join(test[1])}".rstrip() + (" (timeout)" if result == "timeout" else "")
    return "missed"


def name_of(mutant):
    """The mutant in words that outlive a change of lines."""
    return re.sub(r":\d+:\d+: ", ": ", mutant["name"])


def accepted():
    """The mutants that may be missed: lines of tests/mutants.txt, each under its reason."""
    if not ACCEPTED.exists():
        return set()
    lines = ACCEPTED.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--area", action="append", choices=list(AREAS))
    parser.add_argument("--sample", type=int, default=1, help="one of this many mutants, evenly")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--unit", action="store_true", help="unit tests only")
    options = parser.parse_args()
    areas = {
        area: [test for test in AREAS[area][1] if not options.unit or test[0] == "lib"]
        for area in options.area or list(AREAS)
    }
    TREE.mkdir(parents=True, exist_ok=True)
    copy_tree()
    by_file, seen, number = collections.defaultdict(list), set(), 0
    for area in areas:
        for mutant in listed(area):
            key = (mutant["file"], json.dumps(mutant["span"]), mutant["replacement"])
            if key in seen:
                continue
            seen.add(key)
            number += 1
            mutant.update(number=number, area=area)
            if number % options.sample == 0:
                by_file[mutant["file"]].append(mutant)
    total = sum(map(len, by_file.values()))
    print(f"{total} mutants in {len(by_file)} files", flush=True)
    tried, unviable = viable(by_file)
    tests = {(test[0], tuple(test[1])) for area in areas.values() for test in area}
    paths = binaries(sorted({name for name, _ in tests}))
    patience = {}
    for name, arguments in sorted(tests):
        begun = time.monotonic()
        result = run_test(paths, (name, list(arguments)), 0)
        took = time.monotonic() - begun
        patience[name, *arguments] = max(LEAST, PATIENCE * took)
        print(f"  without a mutant: {name} {' '.join(arguments)}: {result}, {took:.1f} s", flush=True)
        if result != "passed":
            sys.exit("The tests fail without a mutant.")
    outcomes = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, open(WORK / "log.txt", "w") as log:
        futures = {pool.submit(judge, paths, patience, areas, mutant): mutant for mutant in tried}
        for future in concurrent.futures.as_completed(futures):
            mutant = futures[future]
            outcomes[mutant["number"]] = future.result()
            log.write(f"{mutant['area']}\t{future.result()}\t{mutant['name']}\n")
            log.flush()
    report(areas, total, tried, unviable, outcomes)


def report(areas, total, tried, unviable, outcomes):
    """Prints the counts and what is missed; fails on what is missed and not accepted."""
    known = accepted()
    bad = []
    for area in areas:
        mine = [mutant for mutant in tried if mutant["area"] == area]
        missed = [mutant for mutant in mine if outcomes[mutant["number"]] == "missed"]
        new = [mutant for mutant in missed if name_of(mutant) not in known]
        share = 100 * (len(mine) - len(missed)) / max(len(mine), 1)
        print(f"{area}: {len(mine)} mutants, {len(mine) - len(missed)} caught ({share:.1f} %), {len(missed)} missed, {len(new)} of them not accepted")
        bad += new
    print(f"{len(unviable)} do not compile, {total - len(tried) - len(unviable)} could not be switched")
    for mutant in bad:
        print(f"MISSED {name_of(mutant)}")
    sys.exit(1 if bad else 0)


main()
