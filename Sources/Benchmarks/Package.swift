// swift-tools-version: 6.2

import PackageDescription

// Apart from the library's own package, so that nobody who depends on it has to fetch what only
// benchmarks need.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "schedulers", path: "../.."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "SchedulersBenchmarks",
      dependencies: [
        .product(name: "Schedulers", package: "schedulers"), .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "SchedulersBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    .target(name: "CStream", path: "CStream", cSettings: [.unsafeFlags(["-O3", "-march=native"])]),
    .executableTarget(
      name: "PeerComparison",
      dependencies: [
        .product(name: "Schedulers", package: "schedulers"), .product(name: "SchedulersInterop", package: "schedulers"),
        .product(name: "DigitsModel", package: "schedulers"), .product(name: "SchedulersCharts", package: "schedulers"),
        "CStream",
      ],
      path: "PeerComparison"),
  ],
  swiftLanguageModes: [.v6]
)
