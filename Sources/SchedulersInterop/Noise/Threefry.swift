import Schedulers

/// The counter-based generator Threefry-2x32 with 20 rounds, which JAX and MLX draw from.
///
/// Source: [Salmon et al. 2011](https://doi.org/10.1145/2063384.2063405), section 3.2.
enum Threefry {
  /// The two random words of a counter under a key.
  static func words(counter: (UInt32, UInt32), key: (UInt32, UInt32)) -> (UInt32, UInt32) {
    let keys = (key.0, key.1, key.0 ^ key.1 ^ 0x1bd1_1bda)
    var x = counter.0 &+ keys.0
    var y = counter.1 &+ keys.1
    func round(_ turn: UInt32) {
      x = x &+ y
      y = (y << turn | y >> (32 - turn)) ^ x
    }
    func four(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ first: UInt32, _ second: UInt32) {
      round(a)
      round(b)
      round(c)
      round(d)
      x = x &+ first
      y = y &+ second
    }
    four(13, 15, 26, 6, keys.1, keys.2 &+ 1)
    four(17, 29, 16, 24, keys.2, keys.0 &+ 2)
    four(13, 15, 26, 6, keys.0, keys.1 &+ 3)
    four(17, 29, 16, 24, keys.1, keys.2 &+ 4)
    four(13, 15, 26, 6, keys.2, keys.0 &+ 5)
    return (x, y)
  }
}
