// Pictures from outside: upload, paste, drop, webcam, an example, the last result. Goes on after tools.js.

const file = $('input[type=file]'), note = $('.note');
let pictures = 0;                                    // the newest one wins, however long an older one takes

async function show(blob) {
  const turn = ++pictures;
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    return warn(box.dataset.badFile);
  }
  if (turn !== pictures) return;
  warn('');
  finish();
  const k = SIDE / Math.max(bitmap.width, bitmap.height);
  const width = bitmap.width * k, height = bitmap.height * k;
  white();                                           // under what is transparent
  unmark();
  layers.paint.imageSmoothingQuality = 'high';
  layers.paint.drawImage(bitmap, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  bitmap.close();
  changed('paint', 'keep');
}

let silence;

function warn(text) {
  note.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { note.textContent = ''; }, 6000);
}

function bring(picture) {                            // a person's own file: its settings may interest others
  if (!picture) return;
  window.dispatchEvent(new CustomEvent('doodle:file', { detail: picture }));
  show(picture);
}

actions.upload = () => file.click();
file.addEventListener('change', () => { bring(file.files[0]); file.value = ''; });
document.addEventListener('paste', (event) => {
  const picture = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith('image/'));
  if (!picture || !isShown()) return;
  event.preventDefault();
  bring(picture);
});
for (const name of ['dragover', 'dragleave', 'drop']) {
  box.addEventListener(name, (event) => {
    event.preventDefault();
    paper.classList.toggle('dropping', name === 'dragover');
    if (name === 'drop') bring(event.dataTransfer.files[0]);
  });
}

// An earlier drawing with what was to be kept of it, as `props.value` once was: nothing anyone did just now,
// so there is no event for it.
async function bringBack({ picture, keep }) {
  const turn = ++pictures;
  const [drawing, mask] = await Promise.all([picture, keep].map(async (url) => url && decode(url)));
  if (turn !== pictures) return;
  finish();
  white();
  unmark();
  if (drawing) layers.paint.drawImage(drawing, 0, 0, SIDE, SIDE);
  if (mask) mark(mask);
  record('paint', 'keep');
  settle();
}

function mark(mask) {                                // hatches what is black in a mask
  const small = document.createElement('canvas');
  small.width = small.height = N;
  const pen = small.getContext('2d');
  pen.drawImage(mask, 0, 0, N, N);
  const image = pen.getImageData(0, 0, N, N);
  for (let i = 0; i < image.data.length; i += 4) image.data[i + 3] = 255 - image.data[i];
  pen.putImageData(image, 0, 0);
  const keep = layers.keep;
  keep.globalCompositeOperation = 'source-over';
  keep.drawImage(small, 0, 0, SIDE, SIDE);
  keep.globalCompositeOperation = 'source-in';
  keep.fillStyle = hatch;
  keep.fillRect(0, 0, SIDE, SIDE);
}

const decode = async (url) => createImageBitmap(await (await fetch(url)).blob());
window.addEventListener('doodle:load', async ({ detail }) => {
  if (detail.quiet) return bringBack(detail);
  show(await (await fetch(detail)).blob());
});
