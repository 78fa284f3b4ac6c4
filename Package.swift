// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "schedulers",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "Schedulers", targets: ["Schedulers"]),
    .library(name: "Traces", targets: ["Traces"]),
    .library(name: "ExactDenoisers", targets: ["ExactDenoisers"]),
    .executable(name: "scheduler", targets: ["scheduler"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    .target(name: "Schedulers"),

    // Recordings of runs, made by anybody, and their judgement. Foundation reads their JSON and their files.
    .target(name: "Traces", dependencies: ["Schedulers"]),

    // The parts outside the core. They need OpenBLAS with LAPACKE, and libpng for pictures.
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"]), .brew(["openblas"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(
      name: "ExactDenoisers", dependencies: ["Schedulers", "COpenBLAS"],
      // Homebrew's OpenBLAS holds LAPACKE itself; Debian keeps it in a library of its own.
      linkerSettings: [.linkedLibrary("lapacke", .when(platforms: [.linux]))]),
    .target(
      name: "Fixtures", dependencies: ["Traces"], path: "Fixtures",
      exclude: [
        "README.md", "requirements.txt", "regenerate.py", "normal_polynomials.py", "ziggurat_tables.py", "record_trace.py",
        "make_traces.py", "judge_traces.py", "mistakes.py", "recipes",
      ],
      resources: [.copy("Data")]),
    .executableTarget(
      name: "scheduler",
      dependencies: [
        "Schedulers", "Traces", "ExactDenoisers", "Fixtures", "CPNG",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .testTarget(name: "FixturesTests", dependencies: ["Fixtures"]),
    .testTarget(name: "SchedulersTests", dependencies: ["Schedulers", "Fixtures"]),
    .testTarget(name: "TracesTests", dependencies: ["Traces", "Schedulers", "Fixtures"]),
    .testTarget(name: "ExactDenoisersTests", dependencies: ["ExactDenoisers", "Fixtures"]),
    .testTarget(name: "SchedulerToolTests", dependencies: ["scheduler", "Schedulers", "Traces", "Fixtures"]),
  ],
  swiftLanguageModes: [.v6]
)
