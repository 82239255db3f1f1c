import Configuration

/// Every objective a config can name.
public enum ObjectiveCatalog: Catalog {
  public static let subject = "objective"
  public static let entries: [CatalogEntry<any Objective>] = [
    CatalogEntry(Supervised.self) { $0 },
    CatalogEntry(Distillation.self) { $0 },
    CatalogEntry(AdversarialTraining.self) { $0 },
    CatalogEntry(
      "fast", about: "adversarial training by FGSM from a random start (\"fast\" training)",
      defaults: AdversarialTraining.fast, upcast: { $0 }),
    CatalogEntry(FreeTraining.self) { $0 },
    CatalogEntry(TRADES.self) { $0 },
    CatalogEntry(MART.self) { $0 },
    CatalogEntry(KSparseAttention.self) { $0 },
    CatalogEntry(RSPC.self) { $0 },
  ]
}
