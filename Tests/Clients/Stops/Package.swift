// swift-tools-version: 6.2

import PackageDescription

// A program of somebody else's that does what ends it. `.ci/stops` builds it for release.
let package = Package(
  name: "stops",
  platforms: [.macOS(.v13)],
  dependencies: [.package(name: "schedulers", path: "../../..")],
  targets: [
    .executableTarget(name: "stops", dependencies: [.product(name: "Schedulers", package: "schedulers")])
  ],
  swiftLanguageModes: [.v6]
)
