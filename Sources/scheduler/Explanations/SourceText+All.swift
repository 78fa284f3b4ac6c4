// Made by `SCHEDULERS_WRITE_EXPLANATIONS=1 swift test --filter explain` and `make format`.

extension SourceText {
  /// The types of the samplers and of the classes of diffusers, by their names.
  static let all: [String: SourceText] = [
    "CMStochasticIterativeScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/Consistency.swift",
      #"""
      `CMStochasticIterativeScheduler`: consistency models, whose network says where the ODE ends from
      each of the sigmas that it was distilled at.
      """#),
    "Churn": SourceText(
      "Sources/Schedulers/Samplers/Churn.swift",
      #"""
      A sampler whose samples are made noisier before each step, which then goes further down.

          γ  = min(amount/N, √2 − 1) where σ is in the range, else 0;    σ̂ = σ·(1 + γ)
          x̄̂  = x̄ + noise·√(σ̂² − σ²)·z,    then a step of the base from σ̂ to σ'

      with x̄ = x/signal.

      The network sees the noisier sample, so a plan has the noise of a step in the line that makes
      that sample: at the end of the step before. A run starts at the σ̂ of its first step. The network
      is told the timestep of σ̂, at most the noisiest of the schedule.

      Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 2, whose base is
      `Heun`; with `Euler`, Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_euler`.
      """#),
    "CogVideoXDDIMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/CogVideoXDDIM.swift",
      #"""
      `CogVideoXDDIMScheduler`: DDIM on a schedule whose signal-to-noise ratio is divided for the many
      pixels of a video. The class does not look at `clip_sample`, which is on by default, and the
      networks are made for x̂0 as it is; so neither reading clips.

      Source: Yang et al. 2024, https://arxiv.org/abs/2408.06072.
      """#),
    "ConsistencyModel": SourceText(
      "Sources/Schedulers/Samplers/ConsistencyModel.swift",
      #"""
      Consistency models: the network says where the ODE ends from any level, at σ_min, and fresh
      noise leads from there to each next level.

          x' = signal'·x̂0 + √(noise'² − (signal'·σ_min)²)·z

      x̂0 is the consistency function of the sample, which `ConsistencyFunction` reads. With a network
      that is not distilled, the error does not fall with the number of steps.

      Source: Song et al. 2023, https://arxiv.org/abs/2303.01469, algorithm 1.
      """#),
    "CosineDPMSolverMultistepScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/CosineDPMSolverMultistep.swift",
      #"""
      `CosineDPMSolverMultistepScheduler`, that of Stable Audio Open: SDE-DPM-Solver++ on EDM's
      samples, for a network of v that is told the angle 2·atan(σ)/π.

      Source: Evans et al. 2024, https://arxiv.org/abs/2407.14358, by the class of diffusers 0.42.1.
      """#),
    "DDIM": SourceText(
      "Sources/Schedulers/Samplers/DDIM.swift",
      #"""
      Denoising diffusion implicit models: fresh noise replaces a part of the noise in the sample.

          x' = signal'·x̂0 + √(noise'² − deviation²)·ε̂ + deviation·z
          deviation = eta·√(posterior variance)

      The posterior's mean carries a part of the noise over, and noise'² is the square of that part
      plus the posterior's variance; the root is taken of a sum, in which nothing cancels.

      Source: Song et al. 2021, https://arxiv.org/abs/2010.02502, equations 12 and 16.
      """#),
    "DDIMInverseScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DDIM.swift",
      #"""
      `DDIMInverseScheduler`, from data to noise.
      """#),
    "DDIMInversion": SourceText(
      "Sources/Schedulers/Samplers/DDIMInversion.swift",
      #"""
      DDIM run backwards: from data to the noise that DDIM with eta 0 would turn into them.

          x' = signal'·x̂0 + noise'·ε̂

      from each point of the grid to the noisier one before it.

      At zero noise a network has nothing to say, so the first evaluation asks it about the least
      noisy point of the grid, as if the data were a sample there. Inversion is exact as the steps
      become small, not for a given number of them.

      Source: Song et al. 2021, https://arxiv.org/abs/2010.02502, section 4.3; Dhariwal and Nichol
      2021, https://arxiv.org/abs/2105.05233, appendix F.
      """#),
    "DDIMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DDIM.swift"),
    "DDPM": SourceText(
      "Sources/Schedulers/Samplers/DDPM.swift",
      #"""
      Ancestral sampling: draw x_s from p(x_s | x_t) for each next point s of the grid.

          x' = x0Coefficient·x̂0 + sampleCoefficient·x + deviation·z

      with the coefficients of `Posterior`. The last step, to clean data, is x̂0.

      Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 6 and 7, algorithm 2;
      between any two levels, and for learned variance, Nichol and Dhariwal
      2021, https://arxiv.org/abs/2102.09672, equations 15 and 19.
      """#),
    "DDPMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DDPM.swift"),
    "DDPMWuerstchenScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DDPMWuerstchen.swift",
      #"""
      `DDPMWuerstchenScheduler`, that of Würstchen and Stable Cascade: DDPM's steps between any times
      of a cosine process, whose ᾱ is held in 0.0001 ... 0.9999.

      Source: Pernias et al. 2023, https://arxiv.org/abs/2306.00637.
      """#),
    "DEIS": SourceText(
      "Sources/Schedulers/Samplers/DEIS.swift",
      #"""
      Diffusion exponential integrator sampler: the polynomial in ln ρ through the last ε̂.

          x̄' = x̄ + ∫ P(ln ρ) dρ from ρ to ρ',    with x̄ = x/signal, ρ = noise/signal

      As ln ρ = −lambda, it has the steps of `DPMSolver` with the exact integrals. The first steps and
      the last, to clean data, are of lower order. There is no step from a level without signal.

      Source: Zhang and Chen 2023, https://arxiv.org/abs/2204.13902; in ln ρ, diffusers' `logrho`.
      """#),
    "DEISMultistepScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DEIS.swift",
      #"""
      `DEISMultistepScheduler`, with coefficients in float32: differences of integrals, which lose up
      to half of their digits where sigmas are close.
      """#),
    "DPMSolver": SourceText(
      "Sources/Schedulers/Samplers/DPMSolver.swift",
      #"""
      DPM-Solver with several steps, of order 1 to 3: DPM-Solver++ with noise in the place of data.

          x' = signal'/signal·x − noise'·(e^h − 1)·D,    h = lambda' − lambda
          D  = ε̂                               order 1
          D  = ε̂ + h/(2·h₋)·(ε̂ − ε̂₋)           order 2, midpoint
          x' = signal'/signal·x − noise'·∫₀ʰ e^(h − τ)·P(τ) dτ    order 2, Heun, and 3

      where P is the polynomial through the last ε̂. With `eta` above 0 the part of ε̂ is multiplied
      by 1 + eta, and noise'·√(eta·(e^(2h) − 1))·z is added: SDE-DPM-Solver, of proposition 4.1 there.
      The first steps and the last, to clean data, are of lower order. There is no step from a level
      without signal.

      Source: Lu et al. 2022, https://arxiv.org/abs/2206.00927, equation 3.4; with several steps as
      in https://arxiv.org/abs/2211.01095, algorithm 2.
      """#),
    "DPMSolverFast": SourceText(
      "Sources/Schedulers/Samplers/DPMSolverFast.swift",
      #"""
      DPM-Solver-Fast: as many steps of order 3 as the calls allow, each of the same length in lambda,
      then one or two of lower order.

          orders = 3, 3, …, 3, n mod 3    for n calls
          orders = 3, 3, …, 3, 2, 1       where 3 divides n

      The n calls go from the first point of the grid to the last one with noise; where those lie
      between does not matter, as the method lays its own. From there, one call more leads to clean
      data. A step of order 2 has its second call at ½, one of order 3 at ⅓ and ⅔, and the steps are
      those of `DPMSolverSinglestep` with DPM-Solver's epsilon. There is none from a level without
      signal.

      Source: Lu et al. 2022, https://arxiv.org/abs/2206.00927, section 3.4 and appendix D.3;
      Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_dpm_fast`.
      """#),
    "DPMSolverMultistepInverseScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DPMSolverMultistep.swift",
      #"""
      `DPMSolverMultistepInverseScheduler`, from data to noise.
      """#),
    "DPMSolverMultistepScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DPMSolverMultistep.swift"),
    "DPMSolverPlusPlus": SourceText(
      "Sources/Schedulers/Samplers/DPMSolverPlusPlus.swift",
      #"""
      DPM-Solver++ with several steps, of order 1 to 3, in lambda = ln(signal/noise).

          x' = noise'/noise·x − signal'·(e^(−h) − 1)·D,    h = lambda' − lambda
          D  = x̂0                             order 1
          D  = x̂0 + h/(2·h₋)·(x̂0 − x̂0₋)       order 2, midpoint
          x' = noise'/noise·x + signal'·∫₀ʰ e^(τ − h)·P(τ) dτ    order 2, Heun, and 3

      where ₋ marks the step before, and P is the polynomial through the last x̂0. The first steps have
      fewer steps before them, and the last, to clean data, has h = ∞; they are of lower order.

      `ExponentialStep` has these formulas in Newton's form. In the authors' letters, with r₀ = h₋/h
      and r₁ = h₋₋/h, the last values of x̂0 lie at s = 0, −r₀ and −(r₀ + r₁), and a step of order 3 is

          D1_0 = (x̂0 − x̂0₋)/r₀,  D1_1 = (x̂0₋ − x̂0₋₋)/r₁    divided differences of two
          D2   = (D1_0 − D1_1)/(r₀ + r₁)                  the divided difference of all
          D1   = D1_0 + r₀·D2                             P(s) = x̂0 + D1·s + D2·s²
          x'   = noise'/noise·x + signal'·(M₀·x̂0 + M₁·D1 + M₂·D2)

      P is Newton's x̂0 + D1_0·s + D2·s·(s + r₀) multiplied out, and M₀ = 1 − e^(−h), M₁ = 1 − M₀/h
      and M₂ = 1 − 2·M₁/h are the moments. The midpoint rule of order 2 has M₀/2 for M₁. The authors'
      code of order 3 has M₂/2 for M₂, as if D2 were a second derivative.

      With eta above 0 it is SDE-DPM-Solver++, on the reverse SDE with fresh noise in each step:

          x' = noise'/noise·e^(−eta·h)·x
             + signal'·∫₀ʰ (1 + eta)·e^((1 + eta)(τ − h))·P(τ) dτ
             + noise'·√(1 − e^(−2·eta·h))·z

      where the midpoint rule takes P to have its value at the middle everywhere. The error in the
      variance of the samples falls with order 2 then for polynomials through two points and through
      three, since x̂0 is not smooth along a noisy path.

      Source: Lu et al. 2022, https://arxiv.org/abs/2211.01095, algorithm 2, and SDE-DPM-Solver++;
      with eta, Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_dpmpp_2m_sde`.
      k-diffusion's `sample_dpmpp_3m_sde` integrates slopes exactly and halves the second difference:
      it is `DPMSolverPlusPlus(order: 3, eta: 1, slopeRule: .exact, matchesAuthorsCode: true)`.
      """#),
    "DPMSolverPlusPlus2SAncestral": SourceText(
      "Sources/Schedulers/Samplers/DPMSolverPlusPlus2SAncestral.swift",
      #"""
      DPM-Solver++ 2S ancestral: a step of two calls to a lower level than wanted, then fresh noise
      back up to it.

          x̄ₘ = σₘ/σ·x̄ + (1 − σₘ/σ)·x̂0,    σₘ = √(σ·σ_down)
          x̄' = σ_down/σ·x̄ + (1 − σ_down/σ)·x̂0ₘ + σ_up·z,    with x̄ = x/signal

      σ_down and σ_up are those of `EulerAncestral`, or on rectified flow those of `EulerAncestralRF`,
      whose sample with the noise of σ_down has the signal of σ'. A step to clean data is `Euler`'s.
      One from a level without signal is ancestral Euler's, but on the straight path it has its middle
      at the time 0.9999, as ComfyUI's has.

      Source: Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_dpmpp_2s_ancestral`;
      on rectified flow, ComfyUI, https://github.com/comfyanonymous/ComfyUI,
      `sample_dpmpp_2s_ancestral_RF`.
      """#),
    "DPMSolverPlusPlusInversion": SourceText(
      "Sources/Schedulers/Samplers/DPMSolverPlusPlusInversion.swift",
      #"""
      `DPMSolverPlusPlus` run backwards: from data to the noise that it would turn into them.

      The steps are those of `DPMSolverPlusPlus`, from each point of the grid to the noisier one
      before it. At zero noise a network has nothing to say, so that the first evaluation is that of
      `DDIMInversion`. Inversion is exact as the steps become small, not for a given number of them.
      It cannot lead to a level without signal, which is infinitely far in lambda.

      Source: Lu et al. 2022, https://arxiv.org/abs/2211.01095, algorithm 2, as in diffusers 0.42.1,
      `DPMSolverMultistepInverseScheduler`.
      """#),
    "DPMSolverPlusPlusSDE": SourceText(
      "Sources/Schedulers/Samplers/DPMSolverPlusPlusSDE.swift",
      #"""
      DPM-Solver++ on the reverse SDE in two calls: to a point within lambda, then the step with its
      x̂0.

          x̄ₘ = x̄ + (σₘ_down/σ − 1)·(x̄ − x̂0) + σₘ_up·z,      σₘ = σ^(1 − r)·σ'^r
          x̄' = x̄ + (σ'_down/σ − 1)·(x̄ − D) + σ'_up·z'',      D = x̂0 + (x̂0ₘ − x̂0)/(2r)
          z'' = share·z + √(1 − share²)·z',    share² = (σ − σₘ)/(σ − σ')

      with x̄ = x/signal; down and up are those of `EulerAncestral` from σ. The noise of the whole
      step is what a Brownian path does from σ to σ', and that of the middle the first part of it: z
      is what x̄ₘ has beyond its drift, and z' is fresh. With independent noises the error in the
      variance of the samples would fall with order 1 instead of 2.

      The whole step begins where the first line did: of a change in the middle, z alone is left.

      A step to clean data, or from a level without signal, is that of `EulerAncestral`.

      Source: Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_dpmpp_sde` and its
      `BrownianTreeNoiseSampler`; diffusers' `DPMSolverSDEScheduler`.
      """#),
    "DPMSolverSDEScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DPMSolverSDE.swift",
      #"""
      `DPMSolverSDEScheduler`: to the middle of two logarithms, then with that x̂0 the whole step, in
      float32.
      """#),
    "DPMSolverSinglestep": SourceText(
      "Sources/Schedulers/Samplers/DPMSolverSinglestep.swift",
      #"""
      DPM-Solver++ and DPM-Solver with single steps: one of order k spans k intervals of the grid.

          u  = step with E held, to the first point in between
          x' = step with E held + S·∫₀¹ H·e^(−H(1−s))·(P(s) − E) ds

      with P through E and the E′, E″ found in between, S and H as in `DPMSolverPlusPlus` for E = x̂0
      and as in `DPMSolver` for E = ε̂, and with their noise for eta above 0, which each interval adds
      for itself. By the midpoint rule, P has its value at the middle everywhere
      in steps of order 2; in steps of order 3, P is the line through E and E″, as good as the
      parabola where the points are equally spaced in lambda, and of order 2 elsewhere.

      Between two steps nothing is remembered. What remains of the grid after steps of full order is a
      step of lower order; a step to clean data, where h is infinite, is by itself and of order 1, and
      so is one from a level without signal, which ε̂ does not have.

      Source: Lu et al. 2022, https://arxiv.org/abs/2206.00927, algorithms 1 and 2;
      https://arxiv.org/abs/2211.01095, algorithm 1.
      """#),
    "DPMSolverSinglestepScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/DPMSolverSinglestep.swift",
      #"""
      `DPMSolverSinglestepScheduler`: steps by a list of orders, of order k from the sample k − 1
      evaluations ago.
      """#),
    "EDMDPMSolverMultistepScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/EDM.swift"),
    "EDMEulerScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/EDM.swift"),
    "ERSDE": SourceText(
      "Sources/Schedulers/Samplers/ERSDE.swift",
      #"""
      ER-SDE: the extended reverse SDE whose noise follows from a function phi, by a Taylor polynomial
      of x̂0 in sigma of up to three terms.

          x̄'  = r·x̄ + (1 − r)·x̂0 + (σ' − σ + phi'·S₀)·D
              + ((σ' − σ)²/2 + phi'·S₁)·D₂ + √(σ'² − r²·σ²)·z
          phi = σ·(e^(σ^0.3) + 10),    r = phi'/phi
          Sⱼ  = ∫ (s − σ)ʲ/phi(s) ds from σ' to σ
          D   = (x̂0 − x̂0₋)/(σ − σ₋),    D₂ = 2·(D − D₋)/(σ − σ₋₋)

      with x̄ = x/signal. ₋ marks the step before. The first steps have fewer terms, as have those
      whose earlier steps began without signal. A step from there is x̂0 and noise.

      Source: Cui et al. 2023, https://arxiv.org/abs/2309.06169, algorithms 1 to 3 in x̂0; phi is
      that of the authors' https://github.com/QinpengCui/ER-SDE-Solver, and of ComfyUI's
      `sample_er_sde`.
      """#),
    "Euler": SourceText(
      "Sources/Schedulers/Samplers/Euler.swift",
      #"""
      Euler's method on the probability-flow ODE dx̄/dσ = (x̄ − x̂0)/σ, with x̄ = x/signal.

          x̄' = x̄ + (σ' − σ)·(x̄ − x̂0)/σ
          x' = noise'/noise·x + (signal' − signal·noise'/noise)·x̂0

      The second line is the first multiplied out; it exists where there is no signal too.

      Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, equations 3 and 4, algorithm 1
      without its correction.
      """#),
    "EulerAncestral": SourceText(
      "Sources/Schedulers/Samplers/EulerAncestral.swift",
      #"""
      An Euler step to a lower level than wanted, then fresh noise back up to it.

          σ_up = eta·σ'·√(1 − (σ'/σ)²),    σ_down = √(σ'² − σ_up²)
          x̄'  = x̄ + (σ_down − σ)·(x̄ − x̂0)/σ + σ_up·z,    with x̄ = x/signal

      Source: Crowson 2022, https://github.com/crowsonkb/k-diffusion, `get_ancestral_step` and
      `sample_euler_ancestral`.
      """#),
    "EulerAncestralDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/Euler.swift"),
    "EulerAncestralRF": SourceText(
      "Sources/Schedulers/Samplers/EulerAncestralRF.swift",
      #"""
      Euler ancestral on rectified flow: a step down the straight line beyond the next level, and
      fresh noise back up to it.

          t_down = t'·(1 + eta·(t'/t − 1)),    r = t_down/t,    k = (1 − t')/(1 − t_down)
          x̄' = k·(r·x̄ + (1 − r)·x̂0) + √(t'² − (k·t_down)²)·z

      with t = noise/(signal + noise) and x̄ = x/(signal + noise), the sample on the line
      (1 − t)·x0 + t·epsilon. `EulerAncestral` on the same grid goes down in t/(1 − t) instead.

      Source: ComfyUI, https://github.com/comfyanonymous/ComfyUI, `sample_euler_ancestral_RF`.
      """#),
    "EulerDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/Euler.swift"),
    "FlowMatchEulerDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/FlowMatch.swift"),
    "FlowMatchHeunDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/FlowMatch.swift"),
    "FlowMatchLCMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/FlowMatch.swift"),
    "GradientEstimation": SourceText(
      "Sources/Schedulers/Samplers/GradientEstimation.swift",
      #"""
      Steps of sigma along a combination of the last two ε̂, with the fresh noise that mu asks for.

          x̄' = x̄ − (σ − σ_p)·(γ·ε̂ + (1 − γ)·ε̂₋) + √(σ'² − σ_p²)·z
          σ' = σ^mu·σ_p^(1 − mu),    with x̄ = x/signal

      | gamma | mu | it is |
      |---|---|---|
      | 1 | 0 | `Euler`, and DDIM with eta 0 |
      | 1 | ½ | `DDPM`, and DDIM with eta 1 |
      | 2 | 0 | the accelerated sampler of the paper |

      The first step has one ε̂. There is no step from a level without signal.

      Source: Permenter and Yuan 2024, https://arxiv.org/abs/2306.04848, gradient estimation; with
      mu, Yuan, https://github.com/yuanchenyang/smalldiffusion, `samples`.
      """#),
    "Heun": SourceText(
      "Sources/Schedulers/Samplers/Heun.swift",
      #"""
      Heun's method on the probability-flow ODE: an Euler step, then the mean of its ends' slopes.

          x̄' = x̄ + (σ' − σ)·ε̂
          x̄' = x̄ + (σ' − σ)·(ε̂ + ε̂')/2

      with x̄ = x/signal and ε̂ = (x̄ − x̂0)/σ.

      Two evaluations a step; the last, to clean data, is Euler's and takes one.

      Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 1.
      """#),
    "HeunDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/Heun.swift"),
    "IPNDM": SourceText(
      "Sources/Schedulers/Samplers/IPNDM.swift",
      #"""
      Improved pseudo numerical methods: DDIM's step with a combination of the last ε̂, up to four.

          x' = signal'/signal·(x − noise·e) + noise'·e
          e = ε̂;  (3ε̂ − ε̂₁)/2;  (23ε̂ − 16ε̂₁ + 5ε̂₂)/12;  (55ε̂ − 59ε̂₁ + 37ε̂₂ − 9ε̂₃)/24

      where ε̂ₖ is that of k steps before. The factors are those of Adams and Bashforth for equal steps
      in the variable of integration, which DDIM's are not: the error falls with order 2. There is no
      step from a level without signal.

      Source: Liu et al. 2022, https://arxiv.org/abs/2202.09778, equations 11 and 12; with lower
      orders to warm up, iPNDM of Zhang and Chen 2023, https://arxiv.org/abs/2204.13902.
      """#),
    "IPNDMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/IPNDM.swift",
      #"""
      `IPNDMScheduler`, whose network is told times between 0 and 1, and predicts v at the noise
      sin(πt/2).
      """#),
    "KDPM2": SourceText(
      "Sources/Schedulers/Samplers/KDPM2.swift",
      #"""
      DPM-Solver-2 in sigma: Euler's method to the middle of ln σ, then the step by the slope there.

          x̄ₘ = x̄ + (σₘ − σ)·ε̂,    σₘ = √(σ·σ_down)
          x̄' = x̄ + (σ_down − σ)·ε̂ₘ + σ_up·z,    with x̄ = x/signal

      σ_down and σ_up are those of `EulerAncestral`: σ' and 0 for eta 0, which solves the ODE. Two
      evaluations a step; the last, to clean data, is Euler's. No step starts without signal.

      Source: Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_dpm_2` and
      `sample_dpm_2_ancestral`, after Karras et al. 2022, https://arxiv.org/abs/2206.00364,
      algorithm 2, and Lu et al. 2022, https://arxiv.org/abs/2206.00927.
      """#),
    "KDPM2AncestralDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/KDPM2.swift"),
    "KDPM2AncestralRF": SourceText(
      "Sources/Schedulers/Samplers/KDPM2AncestralRF.swift",
      #"""
      DPM2 ancestral on rectified flow: half a step down the straight line, then the whole one by the
      slope there, beyond the next level, and fresh noise back up to it.

          x̄ₘ = x̄ + (tₘ − t)·v,    v = (x̄ − x̂0)/t,    tₘ = √(t·t_down)
          x̄' = k·(x̄ + (t_down − t)·vₘ) + √(t'² − (k·t_down)²)·z

      with t, x̄, t_down and k of `EulerAncestralRF`. The second line has x̄ as what the first makes
      of x̄ₘ, so that a change in the middle stays. The last step, to clean data, takes one call.

      Source: ComfyUI, https://github.com/comfyanonymous/ComfyUI, `sample_dpm_2_ancestral_RF`.
      """#),
    "KDPM2DiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/KDPM2.swift"),
    "LCM": SourceText(
      "Sources/Schedulers/Samplers/LCM.swift",
      #"""
      Latent consistency models: the network says where the ODE ends; noise leads to each next level.

          f  = skip·x + out·x̂0
          skip = σ_data²/(s² + σ_data²),  out = s/√(s² + σ_data²)
          s = timestepScaling·timestep
          x' = signal'·f + noise'·z

      skip and out make f the sample itself at timestep 0, and are 0 and 1 but for the first
      timesteps. The network was distilled with them, so this sampler reads the timestep. Such a
      network is asked at timesteps of its distillation, `TimestepSpacing.distilled`; with others the
      error does not fall with the number of steps.

      Source: Luo et al. 2023, https://arxiv.org/abs/2310.04378, algorithm 3 (multistep sampling),
      with skip and out of Song et al. 2023, https://arxiv.org/abs/2303.01469, appendix C; the
      timestep's scale from diffusers' `LCMScheduler`.
      """#),
    "LCMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/LCM+TCD.swift"),
    "LMS": SourceText(
      "Sources/Schedulers/Samplers/LMS.swift",
      #"""
      Linear multistep (Adams–Bashforth) on the probability-flow ODE dx̄/dσ = ε̂, with x̄ = x/signal.

          x̄' = x̄ + ∫ P(σ) dσ from σ to σ',    P the polynomial through the last ε̂

      The polynomial is integrated exactly. The first steps, with fewer ε̂ before them, are of lower
      order; the last, to clean data, is as the others. There is no step from a level without signal.

      Source: Crowson 2022, https://github.com/crowsonkb/k-diffusion, `sample_lms`.
      """#),
    "LMSDiscreteScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/LMS.swift",
      #"""
      `LMSDiscreteScheduler`, whose steps are those of the method, on its own sigmas.
      """#),
    "LTXEulerAncestralRFScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/LTXEulerAncestralRF.swift",
      #"""
      On the times that `FlowMatchEulerDiscreteScheduler` makes of the same file.
      """#),
    "MiniMaxH3Scheduler": SourceText(
      "Sources/SchedulersInterop/Classes/MiniMaxH3.swift",
      #"""
      `MiniMaxH3Scheduler`: Euler's steps on rectified flow whose network predicts the way to the data
      and is told 1 − t. The end is one of the N times, so that a run makes N − 1 calls.

      Source: the class of diffusers 0.42.1.
      """#),
    "PNDM": SourceText(
      "Sources/Schedulers/Samplers/PNDM.swift",
      #"""
      Pseudo numerical methods: DDIM's step with ε̂ combined as solvers of ODEs combine slopes.

          x' = φ(x, e) = signal'/signal·(x − noise·e) + noise'·e

      The first three steps are the paper's pseudo Runge–Kutta, with x₁ and x₂ halfway in time:

          e₁ = ε̂(x),    x₁ = φ(x, e₁)
          e₂ = ε̂(x₁),   x₂ = φ(x, e₂)
          e₃ = ε̂(x₂),   x₃ = φ(x, e₃)
          e₄ = ε̂(x₃),   x' = φ(x, (e₁ + 2·e₂ + 2·e₃ + e₄)/6)

      Then comes its pseudo linear multistep, Adams–Bashforth on the ε̂ with which each step began:

          x' = φ(x, (55·ε̂ − 59·ε̂₋₁ + 37·ε̂₋₂ − 9·ε̂₋₃)/24)

      Without Runge–Kutta (PLMS, Stable Diffusion's) the first step is corrected once, by the mean of
      ε̂ at its ends; the next combine two and three. A step to clean data takes one evaluation.

      The factors are right for equal steps in the variable of integration, which DDIM's are not: the
      error falls with order 2. There is no step from a level without signal. A run warms up wherever
      on the grid it starts; diffusers 0.42.1 repeats a step there that was not made.

      Source: Liu et al. 2022, https://arxiv.org/abs/2202.09778, equations 9, 11 to 13 and algorithm
      2; without Runge–Kutta, Crowson's PLMS sampler of latent diffusion,
      https://github.com/CompVis/latent-diffusion, and diffusers' `skip_prk_steps`.
      """#),
    "PNDMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/PNDM.swift",
      #"""
      `PNDMScheduler`: ε or v combined as the network says it, in steps from t to t − ⌊T/N⌋.
      """#),
    "RePaint": SourceText(
      "Sources/Schedulers/Samplers/RePaint.swift",
      #"""
      Inpainting with a network that was not trained for it: DDIM's steps towards the data, now and
      then back towards noise, so that what is filled in can agree with what is known.

          x' = a·(DDIM's x') + √(noise'² − a²·noise_down²)·z,    a = signal'/signal_down

      is a step that is followed by a jump back; the others are those of DDIM.

      The run itself knows nothing of the picture. After every step, the known part of the sample is
      replaced by the known data with the noise of the level:

      ```swift
      let plan = try RePaint().plan(over: grid, predicting: .epsilon)
      var run = SamplingRun(plan, from: noise.next(like: known))
      while let query = run.query {
        run.advance(output: unet(run.input, query.timestep), using: &noise)
        run.sample = blend(
          run.level.mix(known, with: noise.next(like: known)), run.sample)
      }
      ```

      The paper makes each step r times, and the forward process leads back over it in between; in the
      authors' code, over j steps. With t = T − 1, ..., 0 at the T noisy points and −1 at clean data,

          t ← t − 1    by a step of DDIM, after which the known part is replaced
          t ← t + j    by the forward process, r − 1 times, if j divides t and t < T − j

      A jump and the noise of the step before it are one draw, and the known part is noised once, at
      the level where the jump ends: the same distribution as replacing it before the jump. The
      network is called nearly N·`resamplings` times.

      Source: Lugmayr et al. 2022, https://arxiv.org/abs/2201.09865, algorithm 1 with equation 8a;
      the jumps are those of the authors' https://github.com/andreas128/RePaint,
      `get_schedule_jump`.
      """#),
    "RePaintScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/RePaint.swift",
      #"""
      `RePaintScheduler`: DDIM's steps, and jumps back to noise, each drawn with the step before it.
      """#),
    "Restart": SourceText(
      "Sources/Schedulers/Samplers/Restart.swift",
      #"""
      Restart sampling: an ODE sampler whose run goes back to more noise once it has come down, and
      comes down again, so that noise wears off the errors of the steps before.

          x̄ ← x̄ + √(σ_u² − σ²)·z

      after `turn` of the steps, with x̄ = x/signal and σ_u the sigma after `back` of them. Then come
      the steps from σ_u on again; so `times` times. With `steps` given, the steps from σ_u on are so
      many in equal steps of σ^(1/7), as in the paper's schedules, and otherwise those of the grid.
      The paper gives both places as times; here they are shares of the steps, so that the number of
      calls follows from that of the steps.

      A jump and the step before it are one row of the plan. The base must look at no step before its
      own.

      Source: Xu et al. 2023, https://arxiv.org/abs/2306.14878, algorithm 1, with `Heun`.
      """#),
    "SASolver": SourceText(
      "Sources/Schedulers/Samplers/SASolver.swift",
      #"""
      SA-Solver: multistep predictor and corrector on a reverse SDE with as much noise as is wanted.

          x'  = noise'/noise·e^(−τ²·h)·x + signal'·∫₀¹ H·e^(−H(1−s))·P(s) ds
              + noise'·√(1 − e^(−2·τ²·h))·z
          x'ᶜ = the same, from the same z, with Pᶜ, which goes through x̂0' too

      with h = lambda' − lambda and H = (1 + τ²)·h.

      P goes through the last `predictorOrder` values of x̂0 and Pᶜ through `correctorOrder` with
      x̂0'. τ = 0 solves the ODE, with the predictor of `DPMSolverPlusPlus` by the exact rule unless
      `matchesAuthorsCode`; τ = 1 is the reverse SDE. The first steps and the last have lower order.

      Source: Xue et al. 2023, https://arxiv.org/abs/2309.05019, equations 15 and 18, in x̂0.
      """#),
    "SASolverScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/SASolver.swift",
      #"""
      `SASolverScheduler`, with the orders, the halved slopes and the noise of diffusers' class.

      `tau_func` is a function, which a file cannot hold: τ is diffusers' own, 1 at timesteps 200 to
      800.
      """#),
    "SCMScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/SCM.swift",
      #"""
      `SCMScheduler`, that of SANA-Sprint: a consistency model on TrigFlow's path.

      A sample is cos(t)·x0 + σ_data·sin(t)·z at the angle t, which the network is told. The pipeline
      divides what it gives to the network by σ_data, and multiplies the answer; the output here is
      what the scheduler is given.

      Source: Lu and Song 2024, https://arxiv.org/abs/2410.11081; Chen et al.
      2025, https://arxiv.org/abs/2503.09641.
      """#),
    "SEEDS": SourceText(
      "Sources/Schedulers/Samplers/SEEDS.swift",
      #"""
      SEEDS and other exponential Runge–Kutta methods in x̂0: two or three calls a step, on the
      reverse SDE or, with eta 0, on the ODE.

          xₖ = noiseₖ/noise·e^(−eta·cₖ·h)·x
             + signalₖ·∫₀¹ Hₖ·e^(−Hₖ(1−s))·Pₖ(s) ds + noiseₖ·zₖ
          x' = the same at c = 1,    H = (1 + eta)·h,    h = lambda' − lambda

      | method | c | P of the second call | P of the step |
      |---|---|---|---|
      | SEEDS-2 | ½ | x̂0 | the line through x̂0 and x̂0₁, by the midpoint rule |
      | RES 2S | ½ | x̂0 | the same line, exactly |
      | exponential Heun | 1 | x̂0 | the same line, exactly |
      | SEEDS-3 | ⅓, ⅔ | x̂0 | the line through x̂0 and x̂0₂, where x₂ has that through x̂0 and x̂0₁ |

      The noises zₖ are those of one path: each call adds that of its own part of the step. A step to
      clean data or from a level without signal has one call.

      Source: Gonzalez et al. 2023, https://arxiv.org/abs/2305.14267, algorithms 2 and 3, in x̂0 as
      ComfyUI's `sample_seeds_2` and `sample_seeds_3`; Zhang et al. 2023,
      https://arxiv.org/abs/2308.02157, table 2, for RES; Hochbruck and Ostermann 2005,
      https://doi.org/10.1137/040611434, equation 5.3 with c₂ = 1, for Heun.
      """#),
    "StraightHeun": SourceText(
      "Sources/Schedulers/Samplers/StraightHeun.swift",
      #"""
      Heun's method along straight lines: in t for rectified flow, in sigma for the exploding process.

          u  = (signal' − signal)·x̂0 + (noise' − noise)·ε̂
          x' = x + u,    then    x' = x + (u + u')/2

      Multiplied out, the second line is x' + ½·(signal'·noise/noise' − signal)·(x̂0' − x̂0), which
      exists where there is no signal too. On rectified flow u is (t' − t) times what a network of
      flow predicts. `Heun` takes its slopes in x/signal; where signal is 1, the two are one.

      Two evaluations a step; the last, to clean data, is Euler's and takes one.

      Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 1; on rectified flow
      as diffusers 0.42.1, `FlowMatchHeunDiscreteScheduler`.
      """#),
    "TCD": SourceText(
      "Sources/Schedulers/Samplers/TCD.swift",
      #"""
      Trajectory consistency distillation: along the ODE below the next level, then noise back up.

          s  = ⌊(1 − eta)·timestep'⌋
          x̄' = x̂0 + σ_s·ε̂ + √(σ'² − σ_s²)·z,    with x̄ = x/signal

      eta is γ of the paper: 0 draws none and is `DDIM`; 1 goes down to timestep 0, and is `LCM` but
      for that. σ_s is that of the grid's `TimestepScale`. Such a network is asked at timesteps of its
      distillation, `TimestepSpacing.distilled`; with others the error does not fall with the number
      of steps unless eta is 0. Timesteps must grow with the noise, from 0.

      diffusers 0.42.1 ends at the level of timestep 0; this sampler ends where the grid does.

      Source: Zheng et al. 2024, https://arxiv.org/abs/2402.19159, algorithm 4.
      """#),
    "TCDScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/LCM+TCD.swift"),
    "UnCLIPScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/UnCLIP.swift",
      #"""
      `UnCLIPScheduler`: DDPM's steps between the timesteps of a run, each of which is told the next,
      as the pipelines of Karlo and Kandinsky tell it with `prev_timestep`.

      Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 6 and 7, which the class
      of diffusers 0.42.1 names.
      """#),
    "UniPC": SourceText(
      "Sources/Schedulers/Samplers/UniPC.swift",
      #"""
      UniPC: a multistep predictor, and a corrector by the next evaluation, at no further call.

          x'  = step with x̂0 held + signal'·∫₀¹ H·e^(−H(1−s))·(P(s) − x̂0) ds
          x'ᶜ = the same with Pᶜ, which goes through x̂0' too

      with H = h = lambda' − lambda. P goes through the last `order` values of x̂0 and Pᶜ through one
      more. Where there is one value beside x̂0, the integral of the slope is B(h)/2: h/2 for bh1 and
      (1 − e^(−h))/2 for bh2; with more, B(h) drops out. The network sees x', the predicted sample.

      The paper solves R·a·B(h) = φ for a, and adds −noise'·B(h)·Σ aₘ·Dₘ/rₘ to the step with E = ε̂
      held. For E = x̂0, signal' stands for noise' and −h for h: its h is −H of `ExponentialStep`. In
      its letters, with P(s) = E + Σⱼ cⱼ·sʲ and the moments Mⱼ = ∫₀¹ H·e^(−H(1−s))·sʲ ds,

          rₘ         = (λₘ − lambda)/(lambda' − lambda)    the s of the m-th other value
          Dₘ/rₘ      = (Eₘ − E)/rₘ = Σⱼ cⱼ·rₘ^(j−1)        its divided difference with E
          φⱼ/h^(j−1) = h·j!·ϕⱼ₊₁(h) = −Mⱼ
          Σₘ rₘ^(j−1)·aₘ·B(h) = −Mⱼ                        row j of R·a·B(h) = φ

      The rows times cⱼ add up to −B(h)·Σ aₘ·Dₘ/rₘ = Σⱼ cⱼ·Mⱼ, the integral of P − E.
      `ExponentialStep` takes the same integral of the same P in Newton's form, and solves nothing.
      With one other value the paper has a₁ = ½: −B(h)/2 for M₁, the h/2 and (1 − e^(−h))/2 above.

      The error falls with the corrector's order, one more than the predictor's. The first steps and
      the last, to clean data, are of lower order. A start without signal, where h is ∞, needs bh2.

      Source: Zhao et al. 2023, https://arxiv.org/abs/2302.04867, algorithms 1 and 2; in x̂0,
      appendix.
      """#),
    "UniPCMultistepScheduler": SourceText(
      "Sources/SchedulersInterop/Classes/UniPC.swift"),
  ]
}
