#pragma once
// libpng: Debian's libpng-dev, Homebrew's libpng.
#include <png.h>
