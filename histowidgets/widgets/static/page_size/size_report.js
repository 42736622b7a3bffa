// Decides which sizes one view of a studio reports. The studio has one size, even if several windows show it: that of
// the view that was opened, resized or used last. Each report changes the height of the studio in all of them, which
// must not count as a reason for another.
export class SizeReport {
  // `measure` returns [width, height] in CSS pixels, or null while the view is hidden; `get` and `set` access the
  // size that the kernel and all views share.
  constructor(measure, get, set) {
    this.measure = measure;
    this.get = get;
    this.set = set;
    this.told = null; // what this view has reported last
  }

  // Report this view's size: it is new, its window was resized, or it is being used.
  claim() {
    const size = this.measure();
    if (!size) return;
    this.told = size;
    if (!same(size, this.get())) this.set(size);
  }

  // The studio on the page has another size, for whatever reason; that counts only in the view that the size is from.
  laidOut() {
    if (!this.told || same(this.told, this.get())) this.claim();
  }
}

const same = (a, b) => a[0] === b[0] && a[1] === b[1];
