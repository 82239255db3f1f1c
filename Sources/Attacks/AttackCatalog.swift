import Configuration

/// Every attack a config or `--attack` can name.
public enum AttackCatalog: Catalog {
  public static let subject = "attack"
  public static let entries: [CatalogEntry<any Attack>] = [
    CatalogEntry(PGD.self) { $0 },
    CatalogEntry(FGSM.self) { $0 },
    CatalogEntry(FGM.self) { $0 },
    CatalogEntry(BIM.self) { $0 },
    CatalogEntry(MomentumFGSM.self) { $0 },
    CatalogEntry(DeepFool.self) { $0 },
    CatalogEntry(UniformNoise.self) { $0 },
    CatalogEntry(PatchOcclusion.self) { $0 },
  ]
}
