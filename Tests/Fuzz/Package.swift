// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that nothing of it is seen by those who depend on the library.
let package = Package(
  name: "fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "schedulers", path: "../..")],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        .product(name: "SchedulersTraces", package: "schedulers"),
        .product(name: "SchedulersInterop", package: "schedulers"),
        .product(name: "SchedulersSafetensors", package: "schedulers"),
        .product(name: "SchedulersC", package: "schedulers"),
      ],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])])
  ],
  swiftLanguageModes: [.v6]
)
