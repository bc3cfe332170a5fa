// A row of small drawings; a click puts one on the canvas and tells Python what it shows.

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  window.dispatchEvent(new CustomEvent('doodle:load', { detail: button.querySelector('img').src }));
  trigger('pick', { subject: button.dataset.subject });
});
