internal import CCurl

// libcurl's callbacks: file-scope functions, on the loop's thread, with the transfer as context. The client keeps the
// transfer alive until its handle has left the multi handle.

/// CURLOPT_WRITEFUNCTION
func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    return transfer.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

/// CURLOPT_HEADERFUNCTION
func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    transfer.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

/// CURLOPT_READFUNCTION
func provideBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return Int(CURL_READFUNC_ABORT) }
    return transfer.provideBody(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

/// CURLOPT_PREREQFUNCTION
func requestStarts(
    _ context: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?, _ local: UnsafeMutablePointer<CChar>?,
    _ remotePort: CInt, _ localPort: CInt
) -> CInt {
    transfer(context)?.requestStarts() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}
