// The roles of an image: the badge on its tile, its description, and the choice in its menu.
export const ROLES = {
  both: { badge: "both", description: "train and validation", choice: "Train and validation" },
  train: { badge: "train", description: "training only", choice: "Train only" },
  validation: { badge: "val", description: "validation only", choice: "Validation only" },
};
