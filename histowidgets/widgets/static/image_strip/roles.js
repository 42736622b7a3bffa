// What an image is used for: the word on its tile, the words in its description, and the choice in its menu.
export const ROLES = {
  both: { badge: "both", description: "train and validation", choice: "Train and validation" },
  train: { badge: "train", description: "training only", choice: "Train only" },
  validation: { badge: "val", description: "validation only", choice: "Validation only" },
};
