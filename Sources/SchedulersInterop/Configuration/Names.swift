import Schedulers

// The words of the classes' files.
typealias Move = SamplingPlan.Move
typealias Estimate = SamplingPlan.Estimate
typealias Readout = SamplingPlan.Readout
