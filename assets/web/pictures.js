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
window.addEventListener('doodle:load', async (event) => show(await (await fetch(event.detail)).blob()));
