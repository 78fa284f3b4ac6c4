import Foundation

// Stands in the tool's place where the package is without what builds it: see Package.swift.
let message = """
  scheduler: this build is without the tool, so that it needs no other package. Run \
  `SCHEDULERS_TOOL=1 swift run -c release scheduler help`, or `make demo`.

  """
FileHandle.standardError.write(Data(message.utf8))
exit(2)
