import Tensors

/// Collects the parameters of a model while its modules are made.
public final class ParameterDeclarations {
  public private(set) var layout = ParameterLayout()
  private(set) var initializers: [Initializer] = []

  public init() {}

  public var root: Scope { Scope(declarations: self, path: "") }

  fileprivate func declare(
    _ name: String, _ shape: Shape, _ initializer: Initializer, _ role: ParameterRole
  ) -> Parameter {
    let index = layout.entries.count
    initializers.append(initializer)
    return Parameter(index: index, entry: layout.append(name, shape, role: role))
  }
}

/// A place in the tree of names: `scope["blocks"][3]["attn"]` declares `blocks.3.attn.…`.
public struct Scope {
  fileprivate let declarations: ParameterDeclarations
  fileprivate let path: String

  public subscript(_ child: some CustomStringConvertible) -> Scope {
    Scope(declarations: declarations, path: qualified("\(child)"))
  }

  public func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer, role: ParameterRole = .weight
  ) -> Parameter {
    declarations.declare(qualified(name), shape, initializer, role)
  }

  private func qualified(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
