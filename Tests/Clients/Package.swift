// swift-tools-version: 6.2

import PackageDescription

// Programs as other people write them. `.ci/clients` builds and runs each, with the library by path
// and by tag.
let package = Package(
  name: "clients",
  platforms: [.macOS(.v13)],
  dependencies: [.package(name: "schedulers", path: "../..")],
  targets: ["ShapedArrays", "LazyArrays", "Pipeline", "TrainingLoop"].map { name in
    .executableTarget(
      name: name,
      dependencies: [
        .product(name: "Schedulers", package: "schedulers"), .product(name: "SchedulersInterop", package: "schedulers"),
      ])
  },
  swiftLanguageModes: [.v6]
)
