"""Makes Docs/Page/index.html: the library as WebAssembly, the scripts, the styles and the samplers' sources in one file.

    python3 Docs/Page/build.py [--check] [FILE]

With --check it compares the file with what it would make. The same toolchain makes the same bytes.
"""

import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path("Docs/Page")
SCRIPTS = ["runtime", "library", "data", "experiment", "words", "lessons", "draw", "page"]
HEADERS = pathlib.Path("/usr/include/wasm32-wasi")


def fail(text):
    sys.exit(f"page: {text}")


def run(*command):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True)
    if done.returncode:
        fail(f"{command[0]} failed\n{done.stdout}{done.stderr}")
    return done.stdout


def library():
    """The core in Embedded Swift, with the functions of Plans.swift, as a WebAssembly module."""
    resources = pathlib.Path(json.loads(run("swiftc", "-print-target-info"))["paths"]["runtimeResourcePath"])
    tables = resources / "embedded/wasm32-unknown-none-wasm/libswiftUnicodeDataTables.a"
    builtins = sorted(pathlib.Path("/usr/lib").glob("llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a"))
    for path in [tables, HEADERS]:
        if not path.exists():
            fail(f"{path} is missing; install Swift from https://www.swift.org/install and wasi-libc")
    if not builtins:
        fail("the compiler's functions for WebAssembly are missing; install libclang-rt-dev-wasm32")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        core = folder / "core"
        core.mkdir()
        run(sys.executable, "Tests/Arm64/embedded.py", core)

        def compile_module(module, files, *more):
            run(
                "swiftc", "-parse-as-library", "-package-name", "schedulers", "-swift-version", "6", "-Osize",
                "-whole-module-optimization", "-warnings-as-errors", "-enable-experimental-feature", "Embedded",
                "-target", "wasm32-unknown-none-wasm", "-Xfrontend", "-disable-stack-protector", "-Xfrontend",
                "-disable-incremental-llvm-codegen", "-I", folder,
                "-I", "Tests/Arm64/C", "-Xcc", "-fno-math-errno", "-Xcc", "-D__wasi__", "-Xcc", "-isystem",
                "-Xcc", HEADERS, "-file-prefix-map", f"{core}=Schedulers", "-module-name", module, *more, *sorted(files))

        def compile_interface(module, files):
            compile_module(module, files, "-emit-module", "-emit-module-path", folder / f"{module}.swiftmodule")

        for target in ["KernelInterface", "KernelsBaseline", "Kernels"]:
            compile_interface(f"Schedulers{target}", pathlib.Path("Sources", target).glob("*.swift"))
        compile_interface("Schedulers", [*core.glob("*.swift"), PAGE / "CatalogEntry.swift"])
        compile_module("Plans", [PAGE / "Plans.swift", PAGE / "Grids.swift"], "-emit-object", "-o", folder / "plans.o")
        run(
            resources.parent.parent / "bin/wasm-ld", "--no-entry", "--strip-all", "-z", "stack-size=1048576",
            "-o", folder / "plans.wasm", folder / "plans.o", tables, "-L/usr/lib/wasm32-wasi", "-lc", "-lm", builtins[-1])
        return (folder / "plans.wasm").read_bytes()


def sources():
    """The samplers' files, and of each type what its comment says of the paper."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(pathlib.Path("Sources/Schedulers/Samplers").glob("*.swift"))}


def scripts():
    """The modules one after another, each in a scope of its own: a page that is opened from disk cannot import."""
    texts = ["const modules = {};"]
    for name in SCRIPTS:
        text = (PAGE / f"{name}.mjs").read_text(encoding="utf-8")
        text = re.sub(r"^import ({[^}]*}) from '\./(\w+)\.mjs';", r"const \1 = modules.\2;", text, flags=re.MULTILINE)
        exported = re.findall(r"^export (?:async )?(?:const|class|function\*?) (\w+)", text, flags=re.MULTILINE)
        text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
        texts.append(f"modules.{name} = (() => {{\n{text}return {{ {', '.join(exported)} }};\n}})();")
    return "\n".join(texts)


def page():
    def inside(text):
        return text.replace("</", "<\\/")

    text = (PAGE / "page.html").read_text(encoding="utf-8")
    parts = {
        "styles": (PAGE / "page.css").read_text(encoding="utf-8"),
        "sources": inside(json.dumps(sources(), ensure_ascii=False)),
        "library": base64.b64encode(library()).decode(),
        "scripts": scripts(),
    }
    for name, part in parts.items():
        if text.count(f"@{name}@") != 1:
            fail(f"page.html must have @{name}@ once")
        text = text.replace(f"@{name}@", part)
    return text.encode()


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    file = pathlib.Path(arguments[0]) if arguments else PAGE / "index.html"
    made = page()
    if len(made) > 4_000_000:
        fail(f"the page has {len(made)} bytes; it must stay below 4,000,000")
    if "--check" not in sys.argv:
        file.write_bytes(made)
    elif not file.exists() or file.read_bytes() != made:
        fail(f"{file} is not what its sources make; run `make page` and commit it")


if __name__ == "__main__":
    main()
