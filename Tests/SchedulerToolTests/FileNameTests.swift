import Foundation
import Testing

@testable import scheduler

/// Names of files that are no text: on Linux they may hold any bytes.
@Suite struct `A name of raw bytes` {
  #if os(Linux)
    let tool: Tool

    init() throws { tool = try Tool() }

    /// Runs a script of the shell, in which `tool` is the tool and `raw` a name that is no text.
    private func shell(_ script: String) throws -> (status: Int32, errors: String) {
      let outcome = try tool.run([], script: "tool() { \"$0\" \"$@\"; }; raw=$(printf 'caf\\351'); \(script)")
      return (outcome.status, outcome.errors)
    }

    @Test(arguments: [
      "sample --steps 1 --count 1 -o $raw.png", "plan $raw", "noise -o $raw.npy", "verify $raw", "plot snr -o$raw.svg",
      "run --plan=$raw", "train -o $raw", "evaluate --model $raw", "list $raw", "$raw",
    ])
    func `is refused with the bytes that it has, and nothing of a like name is made`(_ command: String) throws {
      let (status, errors) = try shell("echo > $raw; tool \(command); s=$?; test $(ls -A | wc -l) = 1 && exit $s")
      #expect(status == 2, "\(command)")
      #expect(errors.contains("caf\\xe9") && errors.contains("is no text in UTF-8; rename the file"), "\(errors)")
      #expect(errors.hasPrefix("scheduler: ") && errors.filter(\.isNewline).count == 1, "\(errors)")
    }

    @Test func `may be that of the working folder`() throws {
      let (status, errors) = try shell(
        """
        mkdir $raw && cd $raw && tool noise -o a.npy && tool plot snr -o a.png && tool plan --format json > plan.json \
        && tool run --plan plan.json -o run.json && tool verify run.json && tool verify run.json --report run.svg \
        && test "$(ls -A | tr '\\n' ' ')" = "a.npy a.png plan.json run.json run.svg "
        """)
      #expect(status == 0, "\(errors)")
      #expect(errors == "")
    }

    @Test func `is not that of a folder to train in`() throws {
      let (status, errors) = try shell(
        "mkdir $raw && cd $raw && tool train --max-train-steps 1; s=$?; test $(ls -A .. | wc -l) = 1 && exit $s")
      #expect(status == 2 && errors.contains("name another by --output-dir"), "\(errors)")
    }

    @Test func `stays as it was where a link leads to it, in whose place the file is put`() throws {
      let (status, errors) = try shell(
        """
        echo before > $raw.npy; ln -s $raw.npy link.npy; tool noise -o link.npy \
        && test ! -L link.npy && test "$(cat $raw.npy)" = before && test "$(ls -A | wc -l)" = 2
        """)
      #expect(status == 0 && errors == "", "\(errors)")
    }
  #endif

  @Test(arguments: [
    ("a.svg", "svg"), ("a.b/c.PNG", "png"), ("a", ""), (".svg", ""), ("a.b/c", ""), ("a.", ""), ("a.tar.gz", "gz"),
    ("", ""), ("/", ""),
  ])
  func `of a file ends in what stands after its last point`(_ path: String, _ ending: String) {
    #expect(OutputFile.extension(of: path) == ending)
  }
}
