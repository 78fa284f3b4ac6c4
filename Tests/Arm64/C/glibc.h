#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
