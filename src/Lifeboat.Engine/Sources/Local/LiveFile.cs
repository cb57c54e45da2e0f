using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Reads files that others may be writing.</summary>
internal static class LiveFile
{
    /// <summary>How often a file that changes while it is read is read.</summary>
    public const int Attempts = 3;

    private const int BufferBytes = 256 * 1024;

    /// <summary>
    /// Copies what an open file had when <paramref name="before"/> was taken: at most that many bytes, so that a file that grows for ever
    /// still comes to an end.
    /// </summary>
    /// <returns>Whether nobody changed it meanwhile.</returns>
    /// <exception cref="FileFailure">It cannot be read.</exception>
    public static bool Copy(
        Folder parent, byte[] name, SafeFileHandle file, FileStatus before, Stream stream, ByteMeter? meter, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(before.Size, 1, BufferBytes));
        try
        {
            long done = 0;
            while (done < before.Size)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = Read(parent, name, file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, before.Size - done)), done);
                if (count == 0)
                    break;
                stream.Write(buffer, 0, count);
                done += count;
                meter?.Add(count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return parent.StatusOf(file, name).IsUnchangedSince(before);
    }

    private static int Read(Folder parent, byte[] name, SafeFileHandle file, Span<byte> buffer, long offset)
    {
        try
        {
            return RandomAccess.Read(file, buffer, offset);
        }
        catch (IOException e)
        {
            throw new FileFailure(FileTrouble.Other, $"cannot read {parent.Describe(name)}: {e.Message}", e);
        }
    }
}

/// <summary>Thrown inside the body of an entry to have it discarded: the file changed while it was read.</summary>
internal sealed class ChangedWhileRead : IOException;
