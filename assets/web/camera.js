// The webcam: a live preview over the paper, and "Take picture" puts what it shows on the canvas. Goes on
// after pictures.js. The camera is asked for only when its button is pressed.

const camera = $('.camera'), video = $('video'), shutter = $('[data-do=snap]');
let stream = null, waiting = false;                  // waiting: the person is being asked for permission

actions.camera = async () => {
  if (stream || waiting) return;
  waiting = true;
  try {
    const wish = { facingMode: 'environment', width: 1024, height: 1024 };
    stream = await navigator.mediaDevices.getUserMedia({ video: wish });
  } catch (error) {                                  // without https there is no mediaDevices either
    return warn(error.name === 'NotAllowedError' ? box.dataset.cameraRefused : box.dataset.noCamera);
  } finally {
    waiting = false;
  }
  if (document.hidden || !isShown()) return stopCamera();
  warn('');
  camera.hidden = false;
  paper.scrollIntoView({ block: 'nearest' });
  shutter.disabled = true;                           // until there is something to see
  video.srcObject = stream;
  shutter.focus();
};
video.addEventListener('playing', () => { shutter.disabled = false; shutter.focus(); });

actions.snap = () => {
  const side = Math.min(video.videoWidth, video.videoHeight), still = document.createElement('canvas');
  still.width = still.height = SIDE;
  const left = (video.videoWidth - side) / 2, top = (video.videoHeight - side) / 2;
  still.getContext('2d').drawImage(video, left, top, side, side, 0, 0, SIDE, SIDE);
  stopCamera();
  still.toBlob(show);
};

function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = video.srcObject = null;
  camera.hidden = true;
}
actions.cancel = stopCamera;

camera.addEventListener('keydown', (event) => { if (event.key === 'Escape') stopCamera(); });
document.addEventListener('visibilitychange', () => { if (document.hidden) stopCamera(); });
// Nobody should be filmed by a preview that is scrolled out of sight or lies behind another tab of the page.
new IntersectionObserver(([entry]) => { if (!entry.isIntersecting) stopCamera(); }).observe(camera);
