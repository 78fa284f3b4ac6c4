// swift-tools-version: 6.2

import PackageDescription

// Modules of the names that documents import and that cannot be had here, each with the functions
// that the documents call.
let names = ["CoreML", "MLX", "NNC"]
let package = Package(
  name: "StandIns",
  products: names.map { .library(name: $0, targets: [$0]) },
  targets: names.map { .target(name: $0) })
