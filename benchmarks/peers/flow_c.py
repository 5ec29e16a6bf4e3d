"""The model of pysd_model in C by RK4, sixteen runs side by side: what a machine can do.

Written out from the same table of equations, all numbers in one buffer with the runs innermost, so
that the compiler sees no aliasing and vectorises; divisions by parameters are hoisted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.peers.pysd_model import STEP, WEEKS, auxiliaries, constants, stocks

LANES = 16
MAIN = """
static void run(double *restrict s, const double *restrict p) {
  static double a[N * W] __attribute__((aligned(64))), b[N * W] __attribute__((aligned(64)));
  static double y[N * W] __attribute__((aligned(64)));
  for (int i = 0; i < STEPS; i++) {
    slope(s, p, a);
    for (int j = 0; j < N * W; j++) y[j] = s[j] + H / 2 * a[j];
    slope(y, p, b);
    for (int j = 0; j < N * W; j++) { y[j] = s[j] + H / 2 * b[j]; a[j] += 2 * b[j]; }
    slope(y, p, b);
    for (int j = 0; j < N * W; j++) { y[j] = s[j] + H * b[j]; a[j] += 2 * b[j]; }
    slope(y, p, b);
    for (int j = 0; j < N * W; j++) s[j] += H / 6 * (a[j] + b[j]);
  }
}
int main(int argc, char **argv) {
  int blocks = argc > 1 ? atoi(argv[1]) : 64;
  static double s[N * W] __attribute__((aligned(64))), p[P * W] __attribute__((aligned(64)));
  unsigned long long seed = 1;
  double first = 0;
  clock_t begin = clock();
  for (int b = 0; b < blocks; b++) {
    for (int j = 0; j < C; j++) for (int l = 0; l < W; l++) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      double u = (seed >> 11) * 0x1p-53;
      p[j * W + l] = BASE[j] * (b + l == 0 ? 1 : .9 + .2 * u);
    }
    for (int j = 0; j < P - C; j++) for (int l = 0; l < W; l++)
      p[(C + j) * W + l] = 1 / p[OF[j] * W + l];
    for (int j = 0; j < N; j++) for (int l = 0; l < W; l++) s[j * W + l] = START[j];
    run(s, p);
    if (b == 0) first = s[WON * W];
  }
  double took = (double)(clock() - begin) / CLOCKS_PER_SEC;
  printf("%.9g %.12g\\n", took / (blocks * W), first);
  return 0;
}
"""


def source() -> str:
    """The program."""
    given, worked, levels = list(constants()), list(auxiliaries()), list(stocks())
    names = [n for n, *_ in (*given, *worked, *levels)]
    pattern = re.compile(
        r"\b(" + "|".join(map(re.escape, sorted(set(names), key=len, reverse=True))) + r")\b"
    )
    constant = [n for n, _ in given]
    inverse: list[str] = []

    def c(name: str) -> str:
        return "v_" + name.replace(" ", "_")

    def text(expression: str) -> str:
        found = pattern.sub(lambda m: c(m.group(0)), expression)

        def hoist(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in map(c, constant):
                return match.group(0)
            if name not in inverse:
                inverse.append(name)
            return f"*i{name}"

        return re.sub(r"/(v_\w+)", hoist, found)

    body = [f"double {c(n)} = {text(e)};" for n, e in worked]
    body += [f"d[{i} * W + l] = {text(e)};" for i, (_, e, _) in enumerate(levels)]
    read = [f"double {c(n)} = p[{i} * W + l];" for i, n in enumerate(constant)]
    read += [f"double i{n} = p[{len(constant) + i} * W + l];" for i, n in enumerate(inverse)]
    read += [f"double {c(n)} = s[{i} * W + l];" for i, (n, _, _) in enumerate(levels)]
    place = [list(map(c, constant)).index(n) for n in inverse]
    won = [n for n, _, _ in levels].index("won")
    sizes = f"W = {LANES}, N = {len(levels)}, C = {len(constant)}, WON = {won}, "
    sizes += f"P = {len(constant) + len(inverse)}, STEPS = {round(WEEKS / STEP)}"
    arguments = "const double *restrict s, const double *restrict p, double *restrict d"
    return "\n".join(
        [
            "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>",
            "#define MIN(a, b) ((a) < (b) ? (a) : (b))\n#define MAX(a, b) ((a) > (b) ? (a) : (b))",
            f"enum {{ {sizes} }};",
            f"static const double H = {STEP!r};",
            f"static const double BASE[] = {{{', '.join(repr(float(v)) for _, v in given)}}};",
            f"static const double START[] = {{{', '.join(repr(float(v)) for *_, v in levels)}}};",
            f"static const int OF[] = {{{', '.join(map(str, place))}}};",
            f"static inline void slope({arguments}) {{",
            "#pragma omp simd\n  for (int l = 0; l < W; l++) {",
            *(f"    {line}" for line in (*read, *body)),
            "  }\n}",
            MAIN,
        ]
    )


def build(folder: Path) -> Path | None:
    """The program, compiled; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    file, program = folder / "flow.c", folder / "flow_c"
    file.write_text(source(), encoding="utf-8")
    command = [compiler, "-O3", "-march=native", "-fopenmp-simd", str(file), "-lm", "-o"]
    subprocess.run([*command, str(program)], check=True)
    return program


def run(program: Path, blocks: int = 64) -> tuple[float, float]:
    """Processor seconds a run, and what is won at the end with the model's own numbers."""
    said = subprocess.run([program, str(blocks)], check=True, capture_output=True, text=True)
    took, won = map(float, said.stdout.split())
    return took, won
