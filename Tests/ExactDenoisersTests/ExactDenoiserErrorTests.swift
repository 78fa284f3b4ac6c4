import Testing

@testable import ExactDenoisers

@Suite struct ExactDenoiserErrorTests {
  @Test func pointsAreChecked() {
    func check(_ points: [[Double]], _ error: ExactDenoiserError) {
      #expect(throws: error) { _ = try Dataset<Double>(points: points) }
      #expect(throws: error) { _ = try Gaussian<Double>(fittedTo: points) }
    }
    check([], .empty("points"))
    check([[], []], .empty("values in point 0"))
    check([[1, 2], [3]], .count("point 1", 1, expected: 2))
    check([[1, 2], [3, -.infinity]], .value(-.infinity, in: "value 1 of point 1"))
  }

  @Test func aValueThatIsNotANumberIsNamed() {
    // NaN is not equal to itself, so the error is looked at and not compared.
    let error = #expect(throws: ExactDenoiserError.self) { _ = try Dataset<Double>(points: [[.nan]]) }
    #expect(error?.description == "value 0 of point 0 is nan: it must be finite")
  }

  @Test func weightsAreChecked() throws {
    let gaussian = try Gaussian<Double>(fittedTo: [[1]])
    func check(_ weights: [Double], _ error: (String) -> ExactDenoiserError) {
      #expect(throws: error("points")) { _ = try Dataset<Double>(points: [[1], [2]], weights: weights) }
      #expect(throws: error("components")) {
        _ = try GaussianMixture<Double>(components: [gaussian, gaussian], weights: weights)
      }
    }
    check([1]) { .count("the list of weights for 2 \($0)", 1, expected: 2) }
    check([1, -1]) { _ in .weight(-1, index: 1) }
    check([.infinity, 1]) { _ in .weight(.infinity, index: 0) }
    check([0, 0]) { _ in .noWeight }
    #expect(throws: ExactDenoiserError.self) { _ = try Dataset<Double>(points: [[1]], weights: [.nan]) }
  }

  @Test func labelsAreChecked() {
    let points = [[1.0], [2], [3]]
    #expect(throws: ExactDenoiserError.label(5, known: [0, 7])) {
      _ = try Dataset<Double>(points: points, labels: [7, 0, 7], label: 5)
    }
    #expect(throws: ExactDenoiserError.count("the list of labels for 3 points", 2, expected: 3)) {
      _ = try Dataset<Double>(points: points, labels: [7, 0], label: 7)
    }
    #expect(throws: ExactDenoiserError.empty("points")) { _ = try Dataset<Double>(points: [], labels: [], label: 7) }
  }

  @Test func covariancesAreChecked() {
    func check(_ mean: [Double], _ covariance: [[Double]], _ error: ExactDenoiserError) {
      #expect(throws: error) { _ = try Gaussian<Double>(mean: mean, covariance: covariance) }
    }
    check([], [], .empty("values in mean 0"))
    check([.infinity], [[1]], .value(.infinity, in: "value 0 of mean 0"))
    check([0, 0], [[1, 0]], .count("the list of covariance rows", 1, expected: 2))
    check([0, 0], [[1, 0], [0]], .count("covariance row 1", 1, expected: 2))
    check([0, 0], [[1, 0], [0, .infinity]], .value(.infinity, in: "value 1 of covariance row 1"))
    check([0, 0], [[1, 0.5], [0.25, 1]], .asymmetric(row: 1, column: 0, 0.25, mirror: 0.5))
    check([0], [[-1]], .indefinite(eigenvalue: -1, largest: -1))
  }

  @Test func aNegativeEigenvalueIsNamed() throws {
    // The eigenvalues are 1 ± 2.
    let error = #expect(throws: ExactDenoiserError.self) {
      _ = try Gaussian<Double>(mean: [0, 0], covariance: [[1, 2], [2, 1]])
    }
    guard case .indefinite(let smallest, let largest) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(abs(smallest + 1) < 4 * 3 * .ulpOfOne && abs(largest - 3) < 4 * 3 * .ulpOfOne)
  }

  @Test func componentsAreChecked() throws {
    let (one, two) = (try Gaussian<Double>(fittedTo: [[1]]), try Gaussian<Double>(fittedTo: [[1, 2]]))
    #expect(throws: ExactDenoiserError.empty("components")) { _ = try GaussianMixture<Double>(components: []) }
    #expect(throws: ExactDenoiserError.count("component 1", 2, expected: 1)) {
      _ = try GaussianMixture(components: [one, two])
    }
  }

  @Test func previousIsNoPredictionForAQuery() throws {
    let gaussian = try Gaussian<Double>(fittedTo: [[1]])
    let error = ExactDenoiserError.prediction(.previous)
    #expect(throws: error) { _ = try Dataset<Double>(points: [[1]], predicting: .previous) }
    #expect(throws: error) { _ = try Gaussian<Double>(fittedTo: [[1]], predicting: .previous) }
    #expect(throws: error) { _ = try Gaussian<Double>(mean: [1], covariance: [[1]], predicting: .previous) }
    #expect(throws: error) { _ = try GaussianMixture(components: [gaussian], predicting: .previous) }
  }

  // A covariance with NaN never gets that far from outside; here it is what makes LAPACKE complain.
  @Test func aFailureInsideLAPACKIsAnError() {
    #expect(throws: ExactDenoiserError.lapack(routine: "dsyev", info: -5)) {
      _ = try LAPACK.eigen(symmetric: [.nan], order: 1)
    }
  }

  @Test func aMessageNamesTheValueThePlaceAndTheRemedy() {
    #expect(ExactDenoiserError.empty("points").description == "there are no points: give at least one")
    #expect(
      ExactDenoiserError.weight(-1, index: 3).description == "weight -1.0 at index 3 must be finite and 0 or more")
    #expect(
      ExactDenoiserError.label(5, known: [0, 7]).description == "no point has the label 5: choose one of 0, 7")
    #expect(
      ExactDenoiserError.asymmetric(row: 1, column: 0, 0.25, mirror: 0.5).description.contains(
        "0.25 at row 1, column 0"))
    #expect(ExactDenoiserError.lapack(routine: "dsyev", info: 2).description.contains("does not converge, info 2"))
  }
}
