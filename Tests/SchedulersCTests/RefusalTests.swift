import Schedulers
import SchedulersCHeader
import Testing

@testable import SchedulersC

/// Nothing that is passed ends the process: it is refused, with a line that names it.
struct RefusalTests {
  @Test(
    "a request that cannot be followed is refused by its own words",
    arguments: [
      (2, "", "it is empty"), (2, "{", "key"), (2, "[1]", "object"), (2, "{\"sampler\": \"ddim\"} x", "after"),
      (3, "{}", "none of the keys"), (3, "{\"sampler\": \"ddim\", \"preset\": \"mochi-1\"}", "sampler"),
      (3, "{\"sampler\": \"DDIM\"}", "\"DDIM\""), (3, "{\"sampler\": null}", "null"),
      (3, "{\"sampler\": 5}", "text"), (3, "{\"sampler\": \"ddim\", \"steps\": 0}", "1 ... 1000"),
      (3, "{\"sampler\": \"ddim\", \"steps\": 2.5}", "2.5"), (3, "{\"sampler\": \"ddim\", \"step\": 2}", "\"step\""),
      (3, "{\"sampler\": \"ddim\", \"steps\": 9223372036854775807}", "9223372036854775807"),
      (3, "{\"sampler\": \"ddim\", \"eta\": NaN}", "NaN"), (3, "{\"sampler\": \"lms\", \"eta\": 0.5}", "eta 0.5"),
      (3, "{\"sampler\": \"ddim\", \"spacing\": \"karras\", \"sigmaMin\": 3, \"sigmaMax\": 2}", "3.0"),
      (3, "{\"sampler\": \"ddim\", \"spacing\": \"flow\", \"schedule\": \"cosine\"}", "schedule"),
      (3, "{\"sampler\": \"ddim\", \"rho\": 3}", "rho"), (3, "{\"sampler\": \"ddim\", \"schedule\": \"x\"}", "\"x\""),
      (3, "{\"sampler\": \"ddim\", \"timesteps\": 100001}", "100000"),
      (3, "{\"sampler\": \"ddim\", \"schedule\": {\"betas\": []}}", "0 timesteps"),
      (3, "{\"sampler\": \"ddim\", \"schedule\": {\"betas\": [2]}}", "2"),
      (3, "{\"sampler\": \"ddim\", \"sigmas\": [1, 2], \"steps\": 2}", "steps"),
      (3, "{\"sampler\": \"ddim\", \"sigmas\": [1, 2]}", "2"),
      (3, "{\"sampler\": \"ddim\", \"sigmas\": [1, NaN]}", "finite"),
      (3, "{\"sampler\": \"ddim\", \"sigmas\": []}", "0 steps"), (3, "{\"preset\": \"x\"}", "\"x\""),
      (3, "{\"preset\": \"mochi-1\", \"arguments\": {\"q\": 1}}", "q"),
      (3, "{\"preset\": \"mochi-1\", \"arguments\": {}, \"tokens\": 4}", "tokens"),
      (2, "{\"configuration\": null}", "scheduler_config"), (3, "{\"preset\": null}", "null"),
      (2, "{\"configuration\": 3}", "scheduler_config"), (3, "{\"configuration\": {}}", "_class_name"),
      (3, "{\"configuration\": {\"_class_name\": \"NoScheduler\"}}", "NoScheduler"),
      (3, "{\"configuration\": {\"_class_name\": \"DDIMScheduler\", \"beta_start\": \"x\"}}", "beta_start"),
      (3, "{\"configuration\": {\"_class_name\": \"DDIMScheduler\"}, \"fidelity\": \"exact\"}", "exact"),
      (3, "{\"configuration\": {\"_class_name\": \"DDIMScheduler\"}, \"steps\": 1001}", "1001"),
      (3, "{\"configuration\": {\"_class_name\": \"DDIMScheduler\"}, \"arguments\": [1]}", "arguments"),
      (2, "{\"format\": \"scheduler-plan/9\"}", "scheduler-plan/9"), (2, "{\"format\": \"scheduler-plan/1\"}", "steps"),
    ])
  func requests(_ status: Int, _ request: String, _ words: String) {
    var plan: OpaquePointer? = OpaquePointer(bitPattern: 1)
    let answer = call { schedulersPlanCreate(request, &plan, $0) }
    #expect(answer.status == status, "\(request): \(answer.text)")
    #expect(answer.text.contains(words), "\(request): \(answer.text)")
    #expect(plan == nil)
  }

  @Test(
    "a source of noise that cannot be is refused",
    arguments: [
      "{}", "{\"source\": \"philox\"}", "{\"source\": \"x\", \"seed\": 1}", "{\"source\": \"philox\", \"seeds\": []}",
      "{\"source\": \"philox\", \"seed\": -1}", "{\"source\": \"philox\", \"seed\": 18446744073709551616}",
      "{\"source\": \"philox\", \"seed\": 1, \"seeds\": [1]}", "{\"source\": \"jax\", \"seed\": 4294967296}",
      "{\"source\": \"jax\", \"seeds\": [1, 2]}", "{\"source\": \"torch-cpu\", \"seed\": 1, \"precision\": \"int\"}",
      "{\"source\": \"torch-cuda\", \"seed\": 1, \"device\": \"x\"}", "{\"source\": \"torch-sde\", \"seed\": 1}",
      "{\"source\": \"torch-sde\", \"seed\": 1, \"sigmas\": [2, 1]}",
      "{\"source\": \"philox\", \"seed\": 1, \"sede\": 1}",
      "{\"source\": \"torch-cpu\", \"state\": {}}", "{\"source\": \"torch-cpu\", \"state\": {\"generators\": []}}",
      "{\"source\": \"philox\", \"state\": {\"seed\": 1}, \"seed\": 1}", "{\"source\": \"numpy\", \"state\": null}",
      "{\"source\": \"philox\", \"state\": {\"seed\": 1, \"seeds\": [], \"draws\": 0}}",
    ])
  func noises(_ request: String) {
    var noise: OpaquePointer?
    #expect(call { schedulersNoiseCreate(request, &noise, $0) }.status > 0, "\(request)")
    #expect(noise == nil)
  }

  @Test("a name that another program has, and this library has not, is refused with the reason")
  func names() {
    for (request, text) in [
      ("{\"sampler\": \"comfyui:dpm_adaptive\"}", "sampler \"comfyui:dpm_adaptive\" is not here: its steps follow"),
      ("{\"sampler\": \"euler\", \"spacing\": \"sd.cpp:smoothstep\"}", "\"sd.cpp:smoothstep\" is not here"),
      ("{\"sampler\": \"sd.cpp:x\"}", "unknown sampler \"sd.cpp:x\"; known: sd.cpp:euler, "),
    ] {
      var plan: OpaquePointer?
      let refused = call { schedulersPlanCreate(request, &plan, $0) }
      #expect(refused.status > 0 && plan == nil && refused.text.contains(text), "\(refused.text)")
    }
  }

  @Test("sizes, types, pointers and handles that do not fit are refused")
  func arguments() throws {
    let plan = try Handle.plan("{\"sampler\": \"ddpm\", \"steps\": 3}")
    var run: OpaquePointer?
    for (type, samples, size) in [
      (3, 1, 1), (-1, 1, 1), (0, 0, 1), (0, 1, 0), (0, -1, -1), (0, 1 << 40, 2), (0, .max, .max),
    ] {
      #expect(
        call { schedulersRunCreate(plan.pointer, Int32(type), Int64(samples), Int64(size), &run, $0) }.status == 1)
      #expect(run == nil)
    }
    // More than any machine has; it is refused, or the system lends it without having it.
    _ = call { schedulersRunCreate(plan.pointer, 1, 1 << 20, 1 << 20, &run, $0) }
    schedulersRunDestroy(run)
    #expect(call { schedulersRunCreate(plan.pointer, 0, 1, 1, nil, $0) }.status == 1)
    #expect(call { schedulersPlanCreate(nil, &run, $0) }.status == 1)
    #expect(call { schedulersPlanCreate("{}", nil, $0) }.status == 1)
    #expect(call { schedulersPlanJSON(plan.pointer, nil, $0) }.status == 1)
    for handle in [nil, OpaquePointer(bitPattern: 12345), OpaquePointer(bitPattern: UInt.max), plan.pointer] {
      var query = schedulers_query()
      #expect(call { schedulersRunQuery(handle, &query, $0) }.status == 1)
      schedulersRunDestroy(handle)
      schedulersNoiseDestroy(handle)
      schedulersScheduleDestroy(handle)
    }
    let held = try Handle.run(plan, type: 0, samples: 2, size: 4)
    var (x, output) = ([Float](repeating: 1, count: 9), [Float](repeating: 1, count: 8))
    let before = x
    #expect(call { schedulersRunAdvance(held.pointer, nil, output, output, nil, $0) }.status == 1)
    #expect(call { schedulersRunAdvance(held.pointer, &x, nil, output, nil, $0) }.status == 1)
    #expect(call { schedulersRunAdvance(held.pointer, &x, output, nil, nil, $0) }.status == 4)
    x.withUnsafeMutableBytes { x in
      let start = x.baseAddress!
      #expect(call { schedulersRunAdvance(held.pointer, start, start, output, nil, $0) }.status == 1)
      #expect(call { schedulersRunAdvance(held.pointer, start, start + 4, output, nil, $0) }.status == 1)
      #expect(call { schedulersRunAdvance(held.pointer, start + 2, output, output, nil, $0) }.status == 1)
      #expect(call { schedulersRunAdvance(held.pointer, start, output, output, start + 4, $0) }.status == 1)
      #expect(call { schedulersRunInput(held.pointer, start, start + 4, $0) }.status == 1)
    }
    #expect(x == before)
    output[6] = .nan
    let check = call { schedulersRunCheck(held.pointer, output, $0) }
    #expect(check.status == 5 && check.text.contains("element 2 of sample 1"))
    let noise = try Handle.noise("{\"source\": \"philox\", \"seeds\": [1, 2, 3]}")
    #expect(call { schedulersNoiseNext(noise.pointer, 0, 2, 4, 0, 0, &x, $0) }.status == 1)
    #expect(call { schedulersRunAdvanceDrawing(held.pointer, &x, output, noise.pointer, nil, $0) }.status == 1)
    #expect(call { schedulersRunAdvanceDrawing(held.pointer, &x, output, plan.pointer, nil, $0) }.status == 1)
    #expect(call { schedulersRunSetThreads(held.pointer, -1, $0) }.status == 1)
    let brownian = try Handle.noise("{\"source\": \"brownian\", \"seed\": 1}")
    #expect(call { schedulersNoiseNext(brownian.pointer, 0, 1, 4, .nan, 0, &x, $0) }.status == 1)
    #expect(call { schedulersMix(0, 1, 4, nil, [1], output, output, &x, $0) }.status == 1)
    #expect(call { schedulersMix(0, 1, 4, [0], [0], output, output, &x, $0) }.status == 1)
    #expect(call { schedulersTarget("w", 0, 1, 4, [1], [0], output, output, &x, $0) }.status == 3)
  }

  @Test("a run at its end says so, and a handle that was given back is none")
  func ends() throws {
    let plan = try Handle.plan("{\"sampler\": \"ddim\", \"steps\": 1}")
    var run: OpaquePointer?
    #expect(call { schedulersRunCreate(plan.pointer, 1, 1, 2, &run, $0) }.status == 0)
    var x: [Double] = [1, 2]
    #expect(call { schedulersRunAdvance(run, &x, [0, 0], nil, nil, $0) }.status == 0)
    #expect(call { schedulersRunAdvance(run, &x, [0, 0], nil, nil, $0) }.status == 4)
    #expect(call { schedulersRunInput(run, x, &x, $0) }.status == 4)
    var query = schedulers_query()
    #expect(call { schedulersRunQuery(run, &query, $0) }.status == 0)
    #expect(query.is_done == 1)
    schedulersRunDestroy(run)
    schedulersRunDestroy(run)
    #expect(call { schedulersRunQuery(run, &query, $0) }.status == 1)
  }

  @Test("a long text is cut at a character, and holds one line")
  func longTexts() {
    var plan: OpaquePointer?
    let name = String(repeating: "ü\\n", count: 3000)
    let answer = call { schedulersPlanCreate("{\"sampler\": \"\(name)\"}", &plan, $0) }
    #expect(answer.status == 3 && answer.text.utf8.count >= 2040 && answer.text.utf8.count < 2044)
    #expect(answer.text.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{FFFD}" })
    // Without room for an error, the status alone.
    #expect(schedulersPlanCreate("{", &plan, nil) == 2)
    let bytes: [CChar] = [123, -1, 125, 0]
    #expect(call { schedulersPlanCreate(bytes, &plan, $0) }.status == 2)
  }

  @Test("handles are made, used and given back on many threads")
  func threads() async throws {
    let plan = try Handle.plan("{\"sampler\": \"dpm++2m\", \"steps\": 5}")
    nonisolated(unsafe) let shared = plan.pointer
    let ends = await withTaskGroup(of: [Double].self) { group in
      for _ in 0..<16 {
        group.addTask {
          var x: [Double] = [1, 2, 3]
          for _ in 0..<50 {
            var run: OpaquePointer?
            _ = schedulersRunCreate(shared, 1, 1, 3, &run, nil)
            x = [1, 2, 3]
            for _ in 0..<5 { _ = schedulersRunAdvance(run, &x, [0.5, 0.25, 1], nil, nil, nil) }
            schedulersRunDestroy(run)
          }
          return x
        }
      }
      return await group.reduce(into: Set<[Double]>()) { $0.insert($1) }
    }
    #expect(ends.count == 1)
  }
}
