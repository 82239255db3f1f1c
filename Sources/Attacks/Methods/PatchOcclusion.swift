import Configuration
import Networks
import Tensors

/// Replaces some patches of an image by noise (the study behind RSPC: Guo et al., 2023): how much a
/// model leans on single patches. Any pixel of those patches may change, and none elsewhere.
public struct PatchOcclusion: Attack {
  public static let kind = "occlusion"
  public static let about = "noise in place of some patches, drawn or chosen by the gradient"

  public enum Selection: String, Codable, Sendable, CaseIterable {
    /// Drawn for each image.
    case random
    /// Those whose replacement raises the loss most, to first order: Σ g ⊙ (δ - x) of a patch.
    case gradient
  }

  /// ρ: the part of the patches that is replaced.
  public var rho = 0.1
  /// Side of the patches in pixels; 0 for the model's own tokens.
  public var patchSize = 0
  public var selection = Selection.random

  public init() {}

  /// Pixels may go anywhere in 0...1.
  public var threat: ThreatModel { ThreatModel(.linf, epsilon: 1) }

  public var allowance: String { "\(rho) of the patches" }
  public var name: String { (selection == .random ? "" : "\(selection)-") + "\(Self.kind)@\(rho)" }

  public func validate() throws {
    guard (0...1).contains(rho) else {
      throw ConfigurationError(
        "rho", "is \(rho)", remedy: "Give the part of the patches to replace, from 0 to 1")
    }
    try AttackOptions.check(
      patchSize, atLeast: 0, "patchSize", remedy: "Give 0 for the model's own, or pixels")
  }

  public func check(for image: ClassifierDescription) throws { _ = try grid(image) }

  public func scaled(by factor: Double) -> PatchOcclusion {
    var scaled = self
    scaled.rho = min(1, rho * factor)
    return scaled
  }

  public func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    let grid = try grid(victim.description)
    let noise = OcclusionNoise.normalized.tensor(
      like: images, victim.description, key: { keys.key(.occlusionNoise, row: $0) }, pool: pool)
    let count = Int((rho * Double(grid.patches)).rounded())
    let scores = try scores(images, noise, grid, goal, victim, keys, pool)
    let occluded = images.copy(from: pool)
    let chosen = (0..<images.shape[0]).map { row in
      let first = row * grid.patches
      return Set(
        (first..<first + grid.patches).sorted { (scores[$1], $0) < (scores[$0], $1) }
          .prefix(count))
    }
    grid.forEachPatchLine(images.shape[0]) { patch, pixel in
      guard chosen[patch / grid.patches].contains(patch) else { return }
      (occluded.pointer + pixel).update(from: noise.pointer + pixel, count: grid.patch)
    }
    return occluded
  }

  private func grid(_ image: ClassifierDescription) throws -> PatchGrid {
    let side = patchSize > 0 ? patchSize : image.tokenSide
    guard image.side % side == 0 else {
      throw ConfigurationError(
        "patchSize", "\(side) does not divide the image side \(image.side)",
        remedy: "Choose a patch side that divides the image side")
    }
    return PatchGrid(channels: image.channels, side: image.side, patch: side)
  }

  /// What makes a patch worth replacing, for all patches of all images.
  private func scores(
    _ images: Tensor, _ noise: Tensor, _ grid: PatchGrid, _ goal: AttackGoal,
    _ victim: any Victim, _ keys: AttackKeys, _ pool: BufferPool
  ) throws -> [Float] {
    let rows = Array(0..<images.shape[0])
    guard selection == .gradient else {
      return rows.flatMap { row in
        let key = keys.key(.occlusionChoice, row: row)
        return (0..<grid.patches).map { key.uniformFloat($0) }
      }
    }
    let loss = AttackLoss.crossEntropy
    let (_, gradient) = try victim.gradient(images, rows: rows) {
      loss.gradient(of: $0, goal, into: $1)
    }
    var scores = [Float](repeating: 0, count: rows.count * grid.patches)
    grid.forEachPatchLine(rows.count) { patch, pixel in
      for i in pixel..<pixel + grid.patch {
        scores[patch] += gradient.pointer[i] * (noise.pointer[i] - images.pointer[i])
      }
    }
    return scores
  }
}
