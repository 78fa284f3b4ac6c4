/// What this library says of itself.
public enum SchedulersLibrary {
  /// The version of the whole package, that of the newest heading in CHANGELOG.md.
  public static let version = "0.1.0"
}
