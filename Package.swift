// swift-tools-version: 6.2

import PackageDescription

// The kernels are one source, built for several instruction sets; which copy runs is found out at
// run time. Sources/KernelsV3 and Sources/KernelsV4 hold links to the files of
// Sources/KernelsBaseline.
func kernels(_ folder: String, _ flags: [String]) -> Target {
  .target(
    name: "Schedulers\(folder)", dependencies: ["SchedulersKernelInterface"], path: "Sources/\(folder)",
    swiftSettings: [
      // Without it the square root is a call that sets errno, and keeps its loop from being
      // vectorised.
      .unsafeFlags(["-Xcc", "-fno-math-errno"] + flags.flatMap { ["-Xcc", $0] }),
      // Tests should not wait for loops that nobody steps through. Each file by itself: Swift Build
      // cannot have a whole module optimised in a debug build.
      .unsafeFlags(["-O"], .when(configuration: .debug)),
      // Nor should they be small where all else is: Sources/SchedulersC/install.
      .unsafeFlags(["-Xfrontend", "-O"], .when(configuration: .release)),
    ])
}

// What the kernels are built for is the target's matter, which the host knows nothing of: other
// architectures pass over flags for x86-64. Swift before 6.3 knows such flags on macOS alone; with
// it, only a host that is like the target has the copies.
#if compiler(>=6.3)
  let hasCopies = true
  func x86(_ flags: String...) -> [String] {
    flags.flatMap { ["-Xarch_x86_64", $0] } + ["-Qunused-arguments"]
  }
#else
  #if arch(x86_64) && os(Linux)
    let hasCopies = true
  #else
    let hasCopies = false
  #endif
  func x86(_ flags: String...) -> [String] { flags }
#endif
let instructionSets =
  hasCopies
  ? [
    kernels("KernelsV3", x86("-march=x86-64-v3")),
    kernels("KernelsV4", x86("-march=x86-64-v4", "-mprefer-vector-width=512")),
  ] : []

// The tool reads its command line by another package, and another makes the documentation. Those
// who depend on the library should resolve neither, so both are there only where this variable of
// the environment is, which `make` sets. Otherwise a program in the tool's place says so. A trait
// would keep them out of a dependent as well, but then a plain `swift build` here could not compile
// the tool.
let hasTool = Context.environment["SCHEDULERS_TOOL"] != nil

let tool: [Target] = [
  .executableTarget(
    name: "scheduler",
    dependencies: [
      "Schedulers", "SchedulersInterop", "SchedulersJSON", "SchedulersResources", "SchedulersSafetensors",
      "SchedulersTraces", "ExactDenoisers", "DigitsModel", "SchedulersCharts",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    exclude: ["install", "dist"]),
  .testTarget(
    name: "SchedulerToolTests",
    dependencies: [
      "scheduler", "Schedulers", "SchedulersInterop", "SchedulersSafetensors", "SchedulersCharts", "SchedulersTraces",
      "DigitsModel", "SchedulersFixtures",
    ]),
]

let package = Package(
  name: "schedulers",
  // Text search in the standard library, which the charts use, is of these. The core does not ask
  // for it, but a package has one floor.
  platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
  products: [
    .library(name: "Schedulers", targets: ["Schedulers"]),
    .library(name: "SchedulersInterop", targets: ["SchedulersInterop"]),
    .library(name: "SchedulersTraces", targets: ["SchedulersTraces"]),
    .library(name: "SchedulersC", type: .dynamic, targets: ["SchedulersC"]),
    .library(name: "SchedulersSafetensors", targets: ["SchedulersSafetensors"]),
    .library(name: "SchedulersCharts", targets: ["SchedulersCharts"]),
    .library(name: "ExactDenoisers", targets: ["ExactDenoisers"]),
    .library(name: "DigitsModel", targets: ["DigitsModel"]),
    .executable(name: "scheduler", targets: ["scheduler"]),
  ],
  traits: [
    .trait(
      name: "InstructionSets", description: "Choose at run time between kernels for x86-64, x86-64-v3 and x86-64-v4."),
    .default(enabledTraits: ["InstructionSets"]),
  ],
  dependencies: hasTool
    ? [
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
      .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ] : [],
  targets: [
    .target(
      name: "Schedulers",
      dependencies: ["SchedulersKernels", "SchedulersKernelInterface", "SchedulersKernelsBaseline"]),

    // The loops of the core.
    .target(name: "SchedulersKernelInterface", path: "Sources/KernelInterface"),
    kernels("KernelsBaseline", []),
    .target(
      name: "SchedulersKernels",
      dependencies: ["SchedulersKernelInterface", "SchedulersKernelsBaseline"]
        + instructionSets.map {
          .target(name: $0.name, condition: .when(platforms: [.linux], traits: ["InstructionSets"]))
        },
      path: "Sources/Kernels",
      swiftSettings: hasCopies
        ? [.define("DISPATCH", .when(platforms: [.linux], traits: ["InstructionSets"]))] : []),

    // Other libraries' files and noise, read by the mathematics or to the letter.
    .target(
      name: "SchedulersInterop",
      dependencies: ["Schedulers", "SchedulersKernels", "SchedulersKernelInterface", "SchedulersJSON"]),

    // JSON text, and what else is found in its place. Foundation would read it too, but is larger
    // than everything else in a library for C that is linked with the standard library.
    .target(name: "SchedulersJSON", path: "Sources/JSON"),

    // The file format of recordings, models and golden numbers.
    .target(name: "SchedulersSafetensors", dependencies: ["SchedulersJSON"], path: "Sources/Safetensors"),

    // Recordings of runs, made by anybody, and their judgement.
    .target(
      name: "SchedulersTraces",
      dependencies: ["Schedulers", "SchedulersInterop", "SchedulersSafetensors", "SchedulersJSON"],
      path: "Sources/Traces"),

    // The data files that come with a target. Foundation finds them.
    .target(name: "SchedulersResources", path: "Sources/Resources"),

    // The interface for other languages. Without Foundation, whose data would make the library of
    // `make c` three times as large.
    .systemLibrary(name: "SchedulersCHeader", path: "Sources/SchedulersC/include"),
    .target(
      name: "SchedulersC",
      dependencies: [
        "Schedulers", "SchedulersInterop", "SchedulersTraces", "SchedulersJSON", "SchedulersKernels",
        "SchedulersKernelInterface", "SchedulersCHeader",
      ],
      exclude: ["include", "schedulers.map", "discard.ld", "schedulers.pc.in", "install"]),

    // The parts outside the core. They need OpenBLAS with LAPACKE, and libpng for pictures.
    .systemLibrary(
      name: "SchedulersCOpenBLAS", path: "Sources/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "SchedulersCPNG", path: "Sources/CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(name: "SchedulersCharts", dependencies: ["SchedulersCPNG"], path: "Sources/Charts"),
    .target(
      name: "ExactDenoisers", dependencies: ["Schedulers", "SchedulersCOpenBLAS"],
      // Homebrew's OpenBLAS holds LAPACKE itself; Debian keeps it in a library of its own.
      linkerSettings: [.linkedLibrary("lapacke", .when(platforms: [.linux]))]),
    .target(
      name: "DigitsModel",
      dependencies: [
        "Schedulers", "SchedulersResources", "SchedulersKernels", "ExactDenoisers", "SchedulersCOpenBLAS",
      ],
      resources: [.process("Resources")]),
    .target(
      name: "SchedulersFixtures", dependencies: ["SchedulersSafetensors", "SchedulersResources"], path: "Fixtures",
      exclude: [
        "README.md", "requirements.txt", "regenerate.py", "record_trace.py", "recipes", "traces", "peers", "tables",
      ],
      resources: [.copy("Data")]),
    .testTarget(name: "FixturesTests", dependencies: ["SchedulersFixtures"]),
    .testTarget(
      name: "SchedulersTests",
      dependencies: [
        "Schedulers", "SchedulersInterop", "SchedulersKernels", "SchedulersKernelInterface",
        "SchedulersKernelsBaseline", "SchedulersFixtures",
      ]),
    // One file, in both language modes.
    .testTarget(name: "FormsTests", dependencies: ["Schedulers"]),
    .testTarget(
      name: "FormsSwift5Tests", dependencies: ["Schedulers"], swiftSettings: [.swiftLanguageMode(.v5)]),
    .testTarget(name: "ChartsTests", dependencies: ["SchedulersCharts"]),
    .testTarget(name: "JSONTests", dependencies: ["SchedulersJSON", "SchedulersInterop"]),
    .testTarget(
      name: "SafetensorsTests", dependencies: ["SchedulersSafetensors", "SchedulersJSON", "SchedulersFixtures"]),
    .testTarget(
      name: "TracesTests",
      dependencies: [
        "SchedulersTraces", "Schedulers", "SchedulersInterop", "SchedulersSafetensors", "SchedulersFixtures",
      ]),
    .testTarget(
      name: "SchedulersCTests",
      dependencies: ["SchedulersC", "SchedulersCHeader", "Schedulers", "SchedulersInterop", "SchedulersJSON"]),
    .testTarget(name: "ExactDenoisersTests", dependencies: ["ExactDenoisers", "DigitsModel", "SchedulersInterop"]),
    .testTarget(
      name: "DigitsModelTests", dependencies: ["DigitsModel", "Schedulers", "SchedulersInterop", "SchedulersFixtures"]),
  ] + instructionSets + (hasTool ? tool : [.executableTarget(name: "scheduler", path: "Sources/NoTool")]),
  swiftLanguageModes: [.v6]
)
