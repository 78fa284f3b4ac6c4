import numpy

rng = numpy.random.default_rng(0)


def network(x, timestep):
    return 0.1 * x
