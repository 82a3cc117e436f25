// The supplier takes its time, so the page is shown before its answer is there.
const place = document.querySelector("[data-availability]");
if (place) {
  fetch(place.dataset.availability)
    .then((response) => (response.ok ? response.text() : Promise.reject(response.status)))
    .then((html) => { place.innerHTML = html; })
    .catch(() => { place.textContent = "We cannot ask our supplier at the moment."; });
}
