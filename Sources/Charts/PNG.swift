import Foundation
import SchedulersCPNG

/// PNG files, by libpng's simplified interface, which reports errors instead of jumping.
package enum PNG {
  /// Why a picture cannot be written or read.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
    fileprivate init(_ description: String) { self.description = description }
  }

  /// The largest width and height that are read.
  static let largestSide = 8192

  /// A file of 8-bit grey values.
  package static func encode(_ picture: Picture) throws(Failure) -> Data {
    try encode(picture.pixels, width: picture.width, height: picture.height, format: png_uint_32(PNG_FORMAT_GRAY))
  }

  /// A file of 8-bit colours.
  ///
  /// - Parameter rgb: red, green and blue of each pixel, row by row.
  static func encode(rgb: [UInt8], width: Int, height: Int) throws(Failure) -> Data {
    try encode(rgb, width: width, height: height, format: png_uint_32(PNG_FORMAT_RGB))
  }

  private static func encode(
    _ pixels: [UInt8], width: Int, height: Int, format: png_uint_32
  ) throws(Failure) -> Data {
    var image = header()
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = format
    func failure() -> Failure {
      Failure("cannot make a PNG of \(width) x \(height) pixels: \(message(of: image))")
    }
    var size = png_alloc_size_t(0)
    guard png_image_write_to_memory(&image, nil, &size, 0, pixels, 0, nil) != 0 else { throw failure() }
    var data = Data(count: size)
    let isWritten = data.withUnsafeMutableBytes { bytes in
      png_image_write_to_memory(&image, bytes.baseAddress, &size, 0, pixels, 0, nil)
    }
    guard isWritten != 0 else { throw failure() }
    return data.prefix(size)
  }

  /// The picture of a file, colours as grey, transparency on white.
  ///
  /// - Throws: `Failure` that says what is wrong with the data, as the end of a sentence.
  package static func decode(_ data: Data) throws(Failure) -> Picture {
    var image = header()
    defer { png_image_free(&image) }
    // The bytes are read at the second call too, so both are made while they stay where they are.
    let result: Result<Picture, Failure> = data.withUnsafeBytes { bytes in
      guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
        return .failure(Failure(message(of: image)))
      }
      guard image.width <= largestSide, image.height <= largestSide else {
        return .failure(Failure("\(image.width) x \(image.height) pixels; a side may have \(largestSide)"))
      }
      image.format = png_uint_32(PNG_FORMAT_GRAY)
      let (width, height) = (Int(image.width), Int(image.height))
      var pixels = [UInt8](repeating: 255, count: width * height)
      var white = png_color(red: 255, green: 255, blue: 255)
      guard png_image_finish_read(&image, &white, &pixels, 0, nil) != 0 else {
        return .failure(Failure(message(of: image)))
      }
      return .success(Picture(width: width, height: height, pixels: pixels))
    }
    return try result.get()
  }

  private static func header() -> png_image {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.format = png_uint_32(PNG_FORMAT_GRAY)
    return image
  }

  private static func message(of image: png_image) -> String {
    withUnsafeBytes(of: image.message) { bytes in
      let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      return text.isEmpty ? "not a PNG" : text
    }
  }
}
