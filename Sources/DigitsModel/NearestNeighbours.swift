/// Pictures with known classes, by which others are recognised, and among which their likes are
/// found.
///
/// Source: Fix and Hodges 1951; Hastie et al., *The Elements of Statistical Learning*, 2009,
/// section 13.3.
public struct NearestNeighbours: Sendable {
  private let images: [[Double]]
  private let labels: [Int]

  /// The pictures, one or more, and their classes.
  ///
  /// - Precondition: there is a class for each picture, 0 or above.
  public init(_ images: [[Double]], labels: [Int]) {
    precondition(
      !images.isEmpty && images.count == labels.count, "\(images.count) pictures and \(labels.count) classes")
    self.images = images
    self.labels = labels
  }

  /// The nearest pictures by Euclidean distance, nearest first; of equally near ones the first.
  public func nearest(to image: [Double], count: Int) -> [(index: Int, distance: Double)] {
    var near: [(index: Int, square: Double)] = []
    for (index, other) in images.enumerated() {
      let bound = near.count == count ? near.last?.square ?? .infinity : .infinity
      var square = 0.0
      for k in image.indices {
        square += (image[k] - other[k]) * (image[k] - other[k])
        // What follows only adds to it.
        if square >= bound { break }
      }
      if near.count == count, square >= bound { continue }
      near.insert((index, square), at: near.firstIndex { square < $0.square } ?? near.count)
      if near.count > count { near.removeLast() }
    }
    return near.map { ($0.index, $0.square.squareRoot()) }
  }

  /// The class that most of the k nearest have; of equally frequent ones that of the nearest.
  public func label(of image: [Double], k: Int = 5) -> Int {
    let near = nearest(to: image, count: k).map { labels[$0.index] }
    var votes: [Int: Int] = [:]
    for label in near { votes[label, default: 0] += 1 }
    let most = votes.values.max()!
    return near.first { votes[$0] == most }!
  }

  /// The part of some pictures whose class is recognised.
  public func accuracy(on images: [[Double]], labels: [Int]) -> Double {
    precondition(
      images.count == labels.count && !images.isEmpty, "\(images.count) pictures and \(labels.count) classes")
    return Double(zip(images, labels).count { label(of: $0) == $1 }) / Double(images.count)
  }
}
