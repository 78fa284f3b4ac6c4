/// Lines over two axes, with a legend.
public struct Chart: Sendable {
  /// One line.
  public struct Series: Sendable {
    /// What the legend calls it.
    public let name: String
    /// Its points, from one end to the other. Those outside the axes are left out, with a gap in
    /// the line; on a logarithmic axis, those of 0 and less are marked at its foot.
    public let points: [(x: Double, y: Double)]

    /// A line through points.
    public init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  /// What stands above it.
  public let title: String
  /// What it was made with, below the title: what somebody needs to make it again.
  public let subtitle: String
  /// The axis at its foot.
  public let x: Axis
  /// The axis at its left.
  public let y: Axis
  /// The lines, the first at the bottom.
  public let series: [Series]
  /// Dotted lines to compare those with, each with its name at its last point.
  public let guides: [Series]
  let hasDots: Bool
  let marks: [(x: Double, text: String)]

  /// A chart of lines.
  ///
  /// - Parameters:
  ///   - subtitle: what it was made with: what somebody needs to make it again.
  ///   - guides: dotted lines to compare those with, each with its name at its last point.
  ///   - hasDots: whether each point is marked.
  ///   - marks: places along x that have no point, and what is to be said of them.
  public init(
    title: String, subtitle: String, x: Axis, y: Axis, series: [Series], guides: [Series] = [], hasDots: Bool = false,
    marks: [(x: Double, text: String)] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.x = x
    self.y = y
    self.series = series
    self.guides = guides
    self.hasDots = hasDots
    self.marks = marks
  }
}
