// UsherAPI
