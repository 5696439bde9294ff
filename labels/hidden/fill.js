// The code that a phone has read in the scratch field stands behind the # of the address, which no browser sends. It is
// put into the form, for its reader to press or not, and taken out of the address, lest that is passed on with it.
const found = /^#h=([2-9A-HJ-NP-Z]{16})$/.exec(location.hash);
if (found) {
  const field = document.getElementById("code");
  field.value = found[1].match(/.{4}/g).join(" ");
  document.getElementById("filled").hidden = false;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("redeem").scrollIntoView();
}
