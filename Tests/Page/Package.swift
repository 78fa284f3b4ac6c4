// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "page",
  platforms: [.macOS(.v13)],
  dependencies: [.package(name: "schedulers", path: "../..")],
  targets: [
    .executableTarget(
      name: "Replay",
      dependencies: [
        .product(name: "Schedulers", package: "schedulers"), .product(name: "ExactDenoisers", package: "schedulers"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
