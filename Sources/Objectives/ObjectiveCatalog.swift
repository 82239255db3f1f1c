import Configuration

/// Every objective a config can name.
public enum ObjectiveCatalog: Catalog {
  public static let subject = "objective"
  public static let entries: [CatalogEntry<any Objective>] = [
    CatalogEntry(Supervised.self) { $0 },
    CatalogEntry(Distillation.self) { $0 },
    CatalogEntry(KSparseAttention.self) { $0 },
    CatalogEntry(RSPC.self) { $0 },
  ]
}
