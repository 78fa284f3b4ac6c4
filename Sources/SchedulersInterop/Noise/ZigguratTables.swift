// Written by Fixtures/tables/ziggurat_tables.py out of NumPy 2.4.6. The numbers are NumPy's, from
// numpy/random/src/distributions/ziggurat_constants.h, under this licence,
// numpy/random/src/distributions/LICENSE.md:
//
// ## NumPy
//
// Copyright (c) 2005-2017, NumPy Developers. All rights reserved.
//
// Redistribution and use in source and binary forms, with or without modification, are permitted
// provided that the following conditions are met:
//
// * Redistributions of source code must retain the above copyright notice, this list of conditions
// and the following disclaimer.
//
// * Redistributions in binary form must reproduce the above copyright notice, this list of
// conditions and the following disclaimer in the documentation and/or other materials provided with
// the distribution.
//
// * Neither the name of the NumPy Developers nor the names of any contributors may be used to
// endorse or promote products derived from this software without specific prior written permission.
//
// THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR
// IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND
// FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR
// CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
// DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
// DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
// WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY
// WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
//
// ## Julia
//
// The ziggurat methods were derived from Julia.
//
// Copyright (c) 2009-2019: Jeff Bezanson, Stefan Karpinski, Viral B. Shah, and other contributors:
//
// https://github.com/JuliaLang/julia/contributors
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
// associated documentation files (the "Software"), to deal in the Software without restriction,
// including without limitation the rights to use, copy, modify, merge, publish, distribute,
// sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
// furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or
// substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
// NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
// DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
// OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

/// The 256 layers of NumPy's ziggurat: `wi`, the width of a unit of magnitude; `fi`, the density at
/// the layer's edge; `ki`, below which a magnitude lies in its layer's rectangle.
enum ZigguratTables {
  static let double = (ki: ki, wi: wi, fi: fi)
  static let float = (
    ki: ki.map { ($0 + 1 << 28) >> 29 }, wi: wi.map { Float($0 * 0x1p29) }, fi: fi.map { Float($0) }
  )

  private static let ki =
    [UInt64(3.6541528853610087716 / wi[0]), 0]
    + zip(wi, wi.dropFirst()).dropFirst().map { UInt64(($0 / $1 * 0x1p52).rounded(.toNearestOrEven)) }

  private static let wi = [
    0xcf493b7815d979, 0x8b8d0be3fdf6c6, 0x9250af3c2c5bb4, 0x957cb938443b61, 0x9801fce82fa70c, 0x9a230c2e4cd0bc,
    0x9c004d2f3861f7, 0x9dac2f5a747274, 0x9f32482d4cd5c3, 0xa04d32278ebbad, 0xa0f5053b025d43, 0xa192a697413677,
    0xa227a28f7a1af5, 0xa2b52e3863d880, 0xa33c3fc05791f5, 0xa3bd9ec1a2b12f, 0xa439ef8dff9b55, 0xa4b1bb363dfea7,
    0xa52575621ad374, 0xa59580a707ce96, 0xa60231cfd97eea, 0xa66bd261a37c3d, 0xa6d2a292000570, 0xa736dad346f8a6,
    0xa798ad10b32a77, 0xa7f845ad46f543, 0xa855cc53430a77, 0xa8b1649e7b769a, 0xa90b2ea94ecf98, 0xa96347822c1eea,
    0xa9b9c98e38c546, 0xaa0eccdca4a72c, 0xaa62676d77cd59, 0xaab4ad6e101630, 0xab05b16d136c9c, 0xab558487427a29,
    0xaba4368e529f3a, 0xabf1d62abf8232, 0xac3e70f9594ef3, 0xac8a13a5323b61, 0xacd4c9fe72268b, 0xad1e9f0e80b748,
    0xad679d29e41f10, 0xadafce0023b8c3, 0xadf73aa9f17653, 0xae3debb5d2edfe, 0xae83e9337a6f00, 0xaec93abdf982ce,
    0xaf0de784f06226, 0xaf51f654d8f688, 0xaf956d9e87d7ae, 0xafd8537dfa2eac, 0xb00d56e04234ec, 0xb02e40f5398f9a,
    0xb04eea9e16a5fc, 0xb06f565b72a010, 0xb08f869071f40b, 0xb0af7d84bc6113, 0xb0cf3d664bcc7f, 0xb0eec84b16086b,
    0xb10e20329515ee, 0xb12d4707310fbe, 0xb14c3e9f8e9141, 0xb16b08bfc4201e, 0xb189a71a78da34, 0xb1a81b51ee6d88,
    0xb1c666f8f82acb, 0xb1e48b93e0d42e, 0xb2028a9940a09f, 0xb2206572c4c6e9, 0xb23e1d7de9c31f, 0xb25bb40ca96bfb,
    0xb2792a661dd37f, 0xb29681c719d71b, 0xb2b3bb62b82eda, 0xb2d0d862e1b853, 0xb2edd9e8cba98e, 0xb30ac10d6e48d7,
    0xb3278ee1f4b930, 0xb3444470265ea1, 0xb360e2baca52d5, 0xb37d6abe05586a, 0xb399dd6fb2b264, 0xb3b63bbfb83d03,
    0xb3d28698561de0, 0xb3eebede725a83, 0xb40ae571e09e74, 0xb426fb2da6745d, 0xb44300e83c30a4, 0xb45ef773cac75d,
    0xb47adf9e66c336, 0xb496ba32488f2f, 0xb4b287f602415d, 0xb4ce49acb311dc, 0xb4ea001638a605, 0xb505abef5e5562,
    0xb5214df20a8b5a, 0xb53ce6d56a664f, 0xb558774e1bb2c8, 0xb574000e555f78, 0xb58f81c60e8514, 0xb5aafd23241b59,
    0xb5c672d17d733d, 0xb5e1e37b2f8cd3, 0xb5fd4fc89f5e38, 0xb618b860a31fc3, 0xb6341de8a2b0a2, 0xb64f8104b7260b,
    0xb66ae257c99672, 0xb6864283b13137, 0xb6a1a22950b2b1, 0xb6bd01e8b343bb, 0xb6d8626128d352, 0xb6f3c43161f854,
    0xb70f27f78b68eb, 0xb72a8e516914c6, 0xb745f7dc70eedc, 0xb7616535e5731f, 0xb77cd6faeff449, 0xb7984dc8babd93,
    0xb7b3ca3c8b1409, 0xb7cf4cf3db22fb, 0xb7ead68c73dee7, 0xb80667a486ea1f, 0xb82200dac88676, 0xb83da2ce899f15,
    0xb8594e1fd1f5bd, 0xb875036f7a7ec5, 0xb890c35f47f72d, 0xb8ac8e9205c043, 0xb8c865aba10c9c, 0xb8e44951446a27,
    0xb9003a2973b58f, 0xb91c38dc288347, 0xb9384612ef0afc, 0xb954627903a28a, 0xb9708ebb70d5ee, 0xb98ccb892e2a31,
    0xb9a919933f99bf, 0xb9c5798cd5d92c, 0xb9e1ec2b6f7411, 0xb9fe7226fad24a, 0xba1b0c39f93692, 0xba37bb21a2c85b,
    0xba547f9e0bbb88, 0xba715a724aa9a4, 0xba8e4c64a0313d, 0xbaab563e9ff108, 0xbac878cd5af5ce, 0xbae5b4e18bb336,
    0xbb030b4fc3a11a, 0xbb207cf09a985b, 0xbb3e0aa0e00c00, 0xbb5bb541ce3d03, 0xbb797db93f8927, 0xbb9764f1e5f73c,
    0xbbb56bdb85256e, 0xbbd3936b2ec0a2, 0xbbf1dc9b81ae83, 0xbc10486cec16a0, 0xbc2ed7e5f07a2d, 0xbc4d8c136e0d1c,
    0xbc6c6608ec8705, 0xbc8b66e0eba617, 0xbcaa8fbd36a2ab, 0xbcc9e1c73bd690, 0xbce95e3068e037, 0xbd0906328b8f6e,
    0xbd28db1037ef20, 0xbd48de1533c647, 0xbd691096e7f123, 0xbd8973f4d7fba5, 0xbdaa0999206e70, 0xbdcad2f8fc490e,
    0xbdebd195522e37, 0xbe0d06fb49d21c, 0xbe2e74c4ea46f6, 0xbe501c99c1d188, 0xbe72002f97fe25, 0xbe94214b2abf0a,
    0xbeb681c0f76f08, 0xbed9237610a73a, 0xbefc086101eca9, 0xbf1f328ac25321, 0xbf42a40fb74d6d, 0xbf665f20c90168,
    0xbf8a6604899782, 0xbfaebb187122bf, 0xbfd360d22fe785, 0xbff859c118f60b, 0xc00ed447d3a075, 0xc021a8028fc947,
    0xc034a983a902ab, 0xc047da4e3ef5c7, 0xc05b3bf6adb37e, 0xc06ed023a72668, 0xc082988f632e17, 0xc0969708e8a254,
    0xc0aacd7571c0c4, 0xc0bf3dd1eed448, 0xc0d3ea34aa3d30, 0xc0e8d4cf116593, 0xc0fdffefa69fb6, 0xc1136e04207041,
    0xc129219bbb5d35, 0xc13f1d69c4096d, 0xc1556448602e3b, 0xc16bf93b9deef3, 0xc182df74d21261, 0xc19a1a564eebac,
    0xc1b1ad777f2f8e, 0xc1c99ca971a694, 0xc1e1ebfbe4ae39, 0xc1fa9fc2e2d901, 0xc213bc9d04cc81, 0xc22d477a6fd3ee,
    0xc24745a4ac9c24, 0xc261bcc77658e0, 0xc27cb2faa8592e, 0xc2982ecd770e78, 0xc2b437532a0a52, 0xc2d0d43196db97,
    0xc2ee0db1a978f5, 0xc30becd256aeee, 0xc32a7b5e68a4a3, 0xc349c405ae12a3, 0xc369d27a33a840, 0xc38ab39256410a,
    0xc3ac7570ae88fa, 0xc3cf27b31704a6, 0xc3f2dbaa60f475, 0xc417a49cb9e5da, 0xc43d9815545e94, 0xc464ce44a73a15,
    0xc48d62759c43bc, 0xc4b7739d6b5a27, 0xc4e3250dcd8902, 0xc5109f53e9ac41, 0xc54011523a7e42, 0xc571b1a94ae41b,
    0xc5a5c08b718dd9, 0xc5dc8a243ad0fe, 0xc61669cf861e4c, 0xc653ce7b006aea, 0xc69540be9fe5c3, 0xc6db6b8d09e232,
    0xc72728f05f7a34, 0xc7799556090673, 0xc7d42df4d6ce8c, 0xc839030529f234, 0xc8ab0fbfaa7c14, 0xc92ee0946f4496,
    0xc9cbee014057ab, 0xca8fdc7894775a, 0xcb981f3878fdb1, 0xcd3bb48209ad33,
  ].map { Double(bitPattern: 0x3c << 56 | $0) }

  private static let fi = [
    0xf0000000000000, 0xef446ac979f087, 0xeeb7545b6ca915, 0xee3f11e027f077, 0xedd36fa704de95, 0xed70920657bcf2,
    0xed144978a119dc, 0xecbd33a8a72deb, 0xec6a5ecea9787f, 0xec1b1cd9eebaea, 0xebceeb4ee1dc82, 0xeb85653a8ff552,
    0xeb3e3a8234dd10, 0xeaf92a3f6ce8a2, 0xeab5fef17a2504, 0xea748bd550c9e1, 0xea34aafdf5af0f, 0xe9f63bee651fd8,
    0xe9b9228d240681, 0xe97d4657617ac1, 0xe94291c21b7a47, 0xe908f1bd31714f, 0xe8d0554fe60aa8, 0xe898ad48badf02,
    0xe861ebfc37bcac, 0xe82c050f56cf6e, 0xe7f6ed4b20e2cb, 0xe7c29a779c6858, 0xe78f033ca0b0d5, 0xe75c1f0770d856,
    0xe729e5f43f6d12, 0xe6f850baea7aee, 0xe6c7589e635a89, 0xe696f75e513b2a, 0xe667272a92e323, 0xe637e298550c18,
    0xe6092498802665, 0xe5dae86f4aff6a, 0xe5ad29acc85c89, 0xe57fe4264c8d8f, 0xe55313f08d9e46, 0xe526b55a656cd5,
    0xe4fac4e820b667, 0xe4cf3f4f494ec0, 0xe4a42172dc5278, 0xe479685fdf5012, 0xe44f114a493679, 0xe425198a355fe3,
    0xe3fb7e99585b82, 0xe3d23e10af31a3, 0xe3a955a662cd0e, 0xe380c32bda00d5, 0xe358848bf550e9, 0xe33097c9703a35,
    0xe308fafd6438ef, 0xe2e1ac55ea3bee, 0xe2baaa14d7954a, 0xe293f28e93cd15, 0xe26d84290504ed, 0xe2475d5a90db84,
    0xe2217ca92ff7f2, 0xe1fbe0a9929620, 0xe1d687fe549969, 0xe1b171573fd111, 0xe18c9b709b3c50, 0xe16805128639da,
    0xe143ad105ea99c, 0xe11f9248311f38, 0xe0fbb3a2325913, 0xe0d810104142a0, 0xe0b4a68d70d9ae, 0xe091761d995d81,
    0xe06e7dccf03c36, 0xe04bbcafa63f2e, 0xe02931e18b822a, 0xe006dc85b8cac4, 0xdfc9778c7bbda1, 0xdf859da7a900ca,
    0xdf4229cb2f7af3, 0xdeff1a717e8f95, 0xdebc6e20bd1f54, 0xde7a236a4ec3c5, 0xde3838ea5f9b85, 0xddf6ad47763a09,
    0xddb57f320b56b1, 0xdd74ad6426de33, 0xdd3436a1021080, 0xdcf419b4ae5b6d, 0xdcb45573c0a848, 0xdc74e8bb00d7c7,
    0xdc35d26f1d2cb8, 0xdbf7117c616a17, 0xdbb8a4d6716d91, 0xdb7a8b7807131b, 0xdb3cc462b331ca, 0xdaff4e9ea18552,
    0xdac2293a5f5a9e, 0xda85534aa4d880, 0xda48cbea20c04d, 0xda0c923946843e, 0xd9d0a55e1e93df, 0xd995048418c0c6,
    0xd959aedbe09f93, 0xd91ea39b33cb17, 0xd8e3e1fcb9f115, 0xd8a9693fde9188, 0xd86f38a8ac5ab6, 0xd8354f7faa0dd9,
    0xd7fbad11b8d911, 0xd7c250aff414b0, 0xd78939af9252eb, 0xd7506769c7b1ed, 0xd717d93ba9614c, 0xd6df8e86124caa,
    0xd6a786ad88de21, 0xd66fc11a25cbe2, 0xd6383d377be515, 0xd600fa7480d2c8, 0xd5c9f84376c244, 0xd5933619d6eebe,
    0xd55cb3703d0100, 0xd5266fc2533bed, 0xd4f06a8ebf6d92, 0xd4baa357109ca2, 0xd485199fad6ad4, 0xd44fccefc324fe,
    0xd41abcd1357a19, 0xd3e5e8d08ed2db, 0xd3b1507cf143ae, 0xd37cf368081379, 0xd348d125f9d19e, 0xd314e94d5af62f,
    0xd2e13b77210766, 0xd2adc73e963fdd, 0xd27a8c414db11e, 0xd2478a1f17de89, 0xd214c079f7cc9e, 0xd1e22ef6188116,
    0xd1afd539c2f050, 0xd17db2ed5454e8, 0xd14bc7bb34ee67, 0xd11a134fcf2423, 0xd0e895598709c4, 0xd0b74d88b242da,
    0xd0863b8f904336, 0xd0555f2242e9d9, 0xd024b7f6c7747e, 0xcfe88b89df93c5, 0xcf88108cb83235, 0xcf27fe6ce998d2,
    0xcec854a4c99c44, 0xce6912b2283cdd, 0xce0a3816457184, 0xcdabc455c7900a, 0xcd4db6f8b2514f, 0xccf00f8a5e6fcc,
    0xcc92cd9971df53, 0xcc35f0b7d89d47, 0xcbd9787abe18a1, 0xcb7d647a8731aa, 0xcb21b452ccd13a, 0xcac667a2571807,
    0xca6b7e0b19267e, 0xca10f7322d7e3d, 0xc9b6d2bfd2fe5a, 0xc95d105f6a7c27, 0xc903afbf74fa69, 0xc8aab09192815b,
    0xc852128a819a38, 0xc7f9d5621f7175, 0xc7a1f8d368a323, 0xc74a7c9c7ab5a6, 0xc6f3607e964716, 0xc69ca43e21f25c,
    0xc64647a2adf19c, 0xc5f04a76f883f9, 0xc59aac88f31d6c, 0xc5456da9c86835, 0xc4f08dade31fc1, 0xc49c0c6cf5ce2d,
    0xc447e9c20375d5, 0xc3f4258b6931ae, 0xc3a0bfaae8d7ee, 0xc34db805b4ab88, 0xc2fb0e847c2a65, 0xc2a8c3137a071a,
    0xc256d5a2835eb7, 0xc2054625183c34, 0xc1b41492757d42, 0xc16340e5a82d63, 0xc112cb1da26eb9, 0xc0c2b33d5209ba,
    0xc072f94bb8bf85, 0xc0239d54067d2a, 0xbfa93ecb6b222c, 0xbf0bff29520e1c, 0xbe6f7bf29aa54b, 0xbdd3b56176e88f,
    0xbd38abb9bd91e5, 0xbc9e5f493b740a, 0xbc04d0680b1015, 0xbb6bff78f2e233, 0xbad3ece9caf633, 0xba3c9933ea6286,
    0xb9a604dc9d5b19, 0xb9103075a4a0ab, 0xb87b1c9dbf2852, 0xb7e6ca013eefd6, 0xb753395aaa1176, 0xb6c06b73694a4c,
    0xb62e6124854d18, 0xb59d1b577466a4, 0xb50c9b06fa2bae, 0xb47ce1401b2213, 0xb3edef23269a86, 0xb35fc5e4d93e70,
    0xb2d266cf9b3111, 0xb245d344dd0d91, 0xb1ba0cbe97897d, 0xb12f14d0f2179d, 0xb0a4ed2c159625, 0xb01b979e30e497,
    0xaf262c2b6c6e35, 0xae16d547b25181, 0xad092efeadf162, 0xabfd3e0f282a2c, 0xaaf30790385f70, 0xa9ea90f9295563,
    0xa8e3e02a68b5ab, 0xa7defb77af271e, 0xa6dbe9b398d064, 0xa5dab23cf2add4, 0xa4db5d0e11275d, 0xa3ddf2ce98eecb,
    0xa2e27ce83df497, 0xa1e9059f1f6abc, 0xa0f1982e968011, 0x9ff881d718a5c4, 0x9e121adb828c75, 0x9c301983cd091a,
    0x9a529f4e22ebf8, 0x9879d1b600c10a, 0x96a5daf40bbf82, 0x94d6eaf2fbb064, 0x930d388dab5e13, 0x91490334603012,
    0x8f152a4f72dd49, 0x8ba48d274f8fac, 0x8841040d8da478, 0x84eb96421acfe0, 0x81a59229952f92, 0x7ce160f8ec6837,
    0x769ea8d90cb85d, 0x708a1f03b0b1fd, 0x655f9f43c1b067, 0x54a605b6b9f70f,
  ].map { Double(bitPattern: 0x3f << 56 | $0) }
}
