import ArgumentParser

@main
struct Scheduler: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "scheduler", abstract: "Diffusion schedules and samplers.")
}
