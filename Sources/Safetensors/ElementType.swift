/// The types that the elements of a safetensors file can have.
public enum ElementType: String, Hashable, Codable, CaseIterable, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint64 = "U64"
  case uint32 = "U32"
  case uint16 = "U16"
  case uint8 = "U8"
  case bool = "BOOL"

  /// The size of an element in bytes.
  public var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The element at a byte offset, little-endian. Whole numbers beyond 2⁵³ are rounded.
  func double(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Double {
    func word<Word: FixedWidthInteger>(_: Word.Type) -> Word {
      Word(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
    }
    return switch self {
    case .float64: Double(bitPattern: word(UInt64.self))
    case .float32: Double(Float(bitPattern: word(UInt32.self)))
    case .float16: Self.half(word(UInt16.self))
    case .bfloat16: Double(Float(bitPattern: UInt32(word(UInt16.self)) << 16))
    case .int64: Double(word(Int64.self))
    case .int32: Double(word(Int32.self))
    case .int16: Double(word(Int16.self))
    case .int8: Double(word(Int8.self))
    case .uint64: Double(word(UInt64.self))
    case .uint32: Double(word(UInt32.self))
    case .uint16: Double(word(UInt16.self))
    case .uint8, .bool: Double(word(UInt8.self))
    }
  }

  /// IEEE 754 binary16, by hand: `Float16` is missing on Intel's Macs.
  private static func half(_ bits: UInt16) -> Double {
    let sign = bits >> 15 == 0 ? 1.0 : -1.0
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023) / 1024)
    switch exponent {
    case 0: return sign * fraction * 0x1p-14
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction)
    }
  }
}
