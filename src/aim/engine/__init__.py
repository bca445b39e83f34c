"""The one door between the bytes and what users see: the SDK, the server and the command line ask here."""
